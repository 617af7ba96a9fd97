"""listings that somebody looks at, and how pictures look"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_listing_cases'
down_revision = '2026_11_28_listings'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')

def upgrade():
    op.create_table('listing_cases',
    sa.Column('id', ID, nullable=False),
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('product_id', ID, nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('why', sa.JSON(), nullable=False),
    sa.Column('word_list', sa.String(length=10), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('words', sa.JSON(), nullable=False),
    sa.Column('decided_by_id', ID, nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'approved', 'fix', 'taken_down', 'withdrawn')", name=op.f('ck_listing_cases_state_is_known')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['users.id'], name=op.f('fk_listing_cases_decided_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['product_id'], ['products.id'], name=op.f('fk_listing_cases_product_id_products'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_listing_cases')),
    sa.UniqueConstraint('code', name=op.f('uq_listing_cases_code'))
    )
    with op.batch_alter_table('listing_cases', schema=None) as batch_op:
        batch_op.create_index('ix_listing_cases_state_opened_at_id', ['state', 'opened_at', 'id'], unique=False)
        batch_op.create_index('ix_listing_cases_product_id_id', ['product_id', 'id'], unique=False)
        batch_op.create_index('uq_listing_cases_product_id_waiting', ['product_id'], unique=True, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))

    op.create_table('picture_prints',
    sa.Column('id', ID, nullable=False),
    sa.Column('product_id', ID, nullable=False),
    sa.Column('looks', sa.LargeBinary(length=8), nullable=False),
    *(sa.Column(f'part_{n}', sa.Integer(), nullable=False) for n in range(4)),
    sa.Column('is_banned', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['product_id'], ['products.id'], name=op.f('fk_picture_prints_product_id_products'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_picture_prints')),
    sa.UniqueConstraint('product_id', 'looks', name=op.f('uq_picture_prints_product_id_looks'))
    )
    with op.batch_alter_table('picture_prints', schema=None) as batch_op:
        for n in range(4):
            batch_op.create_index(f'ix_picture_prints_part_{n}', [f'part_{n}'], unique=False)


def downgrade():
    op.drop_table('picture_prints')
    op.drop_table('listing_cases')
