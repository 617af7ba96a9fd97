"""when a seller was asked for tax details and reminded, and that their money waits for them"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_tax_requests'
down_revision = '2026_11_28_safety_checks'
branch_labels = None
depends_on = None


def upgrade():
    number = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('tax_requests',
    sa.Column('id', number, nullable=False),
    sa.Column('seller_id', number, nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reminded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reminded_again_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('over_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_tax_requests_seller_id_sellers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tax_requests'))
    )
    op.create_index('uq_tax_requests_seller_id_open', 'tax_requests', ['seller_id'], unique=True,
                    sqlite_where=sa.text('over_at IS NULL'), postgresql_where=sa.text('over_at IS NULL'))
    op.create_index(op.f('ix_tax_requests_seller_id'), 'tax_requests', ['seller_id'])
    op.add_column('sellers', sa.Column('tax_stopped_at', sa.DateTime(timezone=True), nullable=True))


def downgrade():
    op.drop_column('sellers', 'tax_stopped_at')
    op.drop_table('tax_requests')
