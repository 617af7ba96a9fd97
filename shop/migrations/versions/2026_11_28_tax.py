"""under which number a seller pays income tax, sealed; a closing that is announced thirty days before"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_tax'
down_revision = '2026_11_28_ended'
branch_labels = None
depends_on = None


def upgrade():
    number = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('tax_numbers',
    sa.Column('id', number, nullable=False),
    sa.Column('seller_id', number, nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('tail', sa.String(length=3), nullable=False),
    sa.Column('has_birth_date', sa.Boolean(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('wrapped_key', sa.LargeBinary(), nullable=False),
    sa.Column('key_id', sa.String(length=40), nullable=False),
    sa.Column('set_by_id', number, nullable=True),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_tax_numbers_seller_id_sellers'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['set_by_id'], ['users.id'], name=op.f('fk_tax_numbers_set_by_id_users'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tax_numbers')),
    sa.UniqueConstraint('seller_id', name=op.f('uq_tax_numbers_seller_id'))
    )
    with op.batch_alter_table('tax_numbers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tax_numbers_key_id'), ['key_id'], unique=False)

    op.add_column('sellers', sa.Column('closes_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('statements', sa.Column('effective_at', sa.DateTime(timezone=True), nullable=True))


def downgrade():
    op.drop_column('statements', 'effective_at')
    op.drop_column('sellers', 'closes_at')
    op.drop_table('tax_numbers')
