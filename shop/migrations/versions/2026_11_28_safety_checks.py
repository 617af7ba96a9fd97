"""listings that were drawn by lot and held against the official list of unsafe products"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_safety_checks'
down_revision = '2026_11_28_tax'
branch_labels = None
depends_on = None


def upgrade():
    number = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('safety_checks',
    sa.Column('id', number, nullable=False),
    sa.Column('product_id', number, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.Column('alerts', sa.Integer(), nullable=False),
    sa.Column('alike', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['product_id'], ['products.id'], name=op.f('fk_safety_checks_product_id_products'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_safety_checks'))
    )
    op.create_index('ix_safety_checks_product_id_at', 'safety_checks', ['product_id', 'at'])
    op.create_index(op.f('ix_safety_checks_at'), 'safety_checks', ['at'])


def downgrade():
    op.drop_table('safety_checks')
