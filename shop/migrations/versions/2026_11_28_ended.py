"""what they told is kept for six months after selling has ended; the number of a paper is marked, as others are"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_ended'
down_revision = '2026_11_28_own_orders'
branch_labels = None
depends_on = None

KINDS = "kind IN ('iban', 'vat', 'company', 'phone', 'email', 'address'"
LEFT = "SELECT max(at) FROM events WHERE subject = 'seller' AND subject_id = sellers.id AND became = 'left'"


def upgrade():
    op.add_column('sellers', sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True))
    op.execute(f"UPDATE sellers SET ended_at = COALESCE(banned_at, ({LEFT})) WHERE vetting <> 'approved'")
    with op.batch_alter_table('seller_marks', schema=None) as batch_op:
        batch_op.drop_constraint('kind_is_known', type_='check')
        batch_op.create_check_constraint('kind_is_known', KINDS + ", 'document')")


def downgrade():
    op.execute("DELETE FROM seller_marks WHERE kind = 'document'")
    with op.batch_alter_table('seller_marks', schema=None) as batch_op:
        batch_op.drop_constraint('kind_is_known', type_='check')
        batch_op.create_check_constraint('kind_is_known', KINDS + ')')
    op.drop_column('sellers', 'ended_at')
