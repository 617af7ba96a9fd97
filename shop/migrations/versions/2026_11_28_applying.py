"""a paper that a mark is theirs; who is too small for a VAT number says so"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_applying'
down_revision = '2026_11_28_bank'
branch_labels = None
depends_on = None

KINDS = "kind IN ('front', 'back', 'extract', 'licence'"


def upgrade():
    with op.batch_alter_table('papers', schema=None) as batch_op:
        batch_op.drop_constraint('kind_is_known', type_='check')
        batch_op.create_check_constraint('kind_is_known', KINDS + ", 'mark')")

    op.add_column('sellers', sa.Column('is_small_business', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade():
    with op.batch_alter_table('sellers', schema=None) as batch_op:
        batch_op.drop_column('is_small_business')

    op.execute("DELETE FROM papers WHERE kind = 'mark'")
    with op.batch_alter_table('papers', schema=None) as batch_op:
        batch_op.drop_constraint('kind_is_known', type_='check')
        batch_op.create_check_constraint('kind_is_known', KINDS + ')')
