"""verdicts that are drawn by lot, and looked at again by somebody who does not see them"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_second_looks'
down_revision = '2026_11_28_refund_token'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('second_looks',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('statement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('drawn_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('verdict', sa.String(length=16), nullable=True),
    sa.Column('words', sa.String(length=900), nullable=False),
    sa.Column('looked_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('looked_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("verdict IN ('approved', 'asked', 'refused')", name=op.f('ck_second_looks_verdict_is_known')),
    sa.CheckConstraint('(verdict IS NULL) = (looked_at IS NULL)', name=op.f('ck_second_looks_verdict_has_its_moment')),
    sa.ForeignKeyConstraint(['looked_by_id'], ['users.id'], name=op.f('fk_second_looks_looked_by_id_users')),
    sa.ForeignKeyConstraint(['statement_id'], ['statements.id'], name=op.f('fk_second_looks_statement_id_statements')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_second_looks')),
    sa.UniqueConstraint('code', name=op.f('uq_second_looks_code')),
    sa.UniqueConstraint('statement_id', name=op.f('uq_second_looks_statement_id'))
    )
    with op.batch_alter_table('second_looks', schema=None) as batch_op:
        batch_op.create_index('ix_second_looks_looked_at_id', ['looked_at', 'id'], unique=False)


def downgrade():
    with op.batch_alter_table('second_looks', schema=None) as batch_op:
        batch_op.drop_index('ix_second_looks_looked_at_id')

    op.drop_table('second_looks')
