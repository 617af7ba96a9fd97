"""what a seller's own listings need: a delivery table, weight, states, what lacks a fact, and how a picture looks"""

import json

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_listings'
down_revision = '2026_11_28_required_facts'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade():
    op.create_table('delivery_profiles',
    sa.Column('seller_id', ID, nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('up_to_grams', sa.Integer(), nullable=False),
    sa.Column('min_days', sa.Integer(), nullable=False),
    sa.Column('max_days', sa.Integer(), nullable=False),
    sa.Column('cost_minor', sa.BigInteger(), nullable=False),
    sa.Column('cost_currency', sa.String(length=3), nullable=False),
    sa.Column('free_from_minor', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('0 <= min_days AND min_days <= max_days', name=op.f('ck_delivery_profiles_days_are_in_order')),
    sa.CheckConstraint('cost_minor >= 0', name=op.f('ck_delivery_profiles_cost_is_not_negative')),
    sa.CheckConstraint('up_to_grams > 0', name=op.f('ck_delivery_profiles_weight_is_positive')),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_delivery_profiles_seller_id_sellers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('seller_id', 'country', 'up_to_grams', name=op.f('pk_delivery_profiles'))
    )
    with op.batch_alter_table('products', schema=None) as batch_op:
        batch_op.add_column(sa.Column('weight_grams', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('has_own_delivery', sa.Boolean(), server_default=sa.text('true'), nullable=False))
        batch_op.add_column(sa.Column('is_complete', sa.Boolean(), server_default=sa.text('true'), nullable=False))
        batch_op.add_column(sa.Column('searched', sa.String(length=300), server_default='', nullable=False))
        batch_op.drop_constraint('status_is_known', type_='check')
        batch_op.create_check_constraint('status_is_known', "status IN ('draft', 'live', 'paused', 'review', 'down')")
        batch_op.create_index('ix_products_seller_id_id_searched', ['seller_id', 'id', 'searched'], unique=False)
        batch_op.create_index('ix_products_seller_id_status_id', ['seller_id', 'status', 'id'], unique=False)
        batch_op.create_index('ix_products_seller_id_is_complete_id', ['seller_id', 'is_complete', 'id'], unique=False)

    with op.batch_alter_table('variants', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_offered', sa.Boolean(), server_default=sa.text('true'), nullable=False))

    with op.batch_alter_table('pictures', schema=None) as batch_op:
        batch_op.add_column(sa.Column('looks', sa.LargeBinary(length=8), nullable=True))

    _fold_titles()


def _fold_titles():
    products = sa.table('products', sa.column('id', ID), sa.column('title', sa.JSON), sa.column('searched', sa.String))
    shop = op.get_bind()
    for row in shop.execute(sa.select(products.c.id, products.c.title)).all():
        title = json.loads(row.title) if isinstance(row.title, str) else row.title or {}
        folded = ' '.join(dict.fromkeys(text.casefold() for text in title.values()))[:300]
        shop.execute(products.update().where(products.c.id == row.id).values(searched=folded))


def downgrade():
    op.execute("UPDATE products SET status = 'paused' WHERE status IN ('review', 'down')")
    op.execute("UPDATE variants SET stock = held WHERE NOT is_offered")
    with op.batch_alter_table('pictures', schema=None) as batch_op:
        batch_op.drop_column('looks')

    with op.batch_alter_table('variants', schema=None) as batch_op:
        batch_op.drop_column('is_offered')

    with op.batch_alter_table('products', schema=None) as batch_op:
        batch_op.drop_index('ix_products_seller_id_is_complete_id')
        batch_op.drop_index('ix_products_seller_id_status_id')
        batch_op.drop_index('ix_products_seller_id_id_searched')
        batch_op.drop_constraint('status_is_known', type_='check')
        batch_op.create_check_constraint('status_is_known', "status IN ('draft', 'live', 'paused')")
        batch_op.drop_column('searched')
        batch_op.drop_column('is_complete')
        batch_op.drop_column('has_own_delivery')
        batch_op.drop_column('weight_grams')

    op.drop_table('delivery_profiles')
