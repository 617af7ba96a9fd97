"""who a gateway knows, and which of their methods are forgotten"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_kept'
down_revision = '2026_11_28_differences'
branch_labels = None
depends_on = None

AN_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade():
    op.create_table(
        'gateway_customers',
        sa.Column('user_id', AN_ID, nullable=False),
        sa.Column('gateway', sa.String(length=12), nullable=False),
        sa.Column('gateway_id', sa.String(length=80), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['user_id'], ['users.id'], name=op.f('fk_gateway_customers_user_id_users'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('user_id', 'gateway', name=op.f('pk_gateway_customers')),
        sa.UniqueConstraint('gateway', 'gateway_id', name=op.f('uq_gateway_customers_gateway_gateway_id')),
    )
    op.add_column('saved_methods', sa.Column('forgotten_at', sa.DateTime(timezone=True), nullable=True))


def downgrade():
    with op.batch_alter_table('saved_methods', schema=None) as batch_op:
        batch_op.drop_column('forgotten_at')
    op.drop_table('gateway_customers')
