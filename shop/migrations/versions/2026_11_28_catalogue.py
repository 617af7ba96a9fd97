"""files with a seller's products, line by line; a product has its seller's own reference"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_catalogue'
down_revision = '2026_11_28_listing_cases'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
NAMED = sa.text("reference <> ''")


def upgrade():
    with op.batch_alter_table('products', schema=None) as batch_op:
        batch_op.add_column(sa.Column('reference', sa.String(length=60), server_default='', nullable=False))
        batch_op.create_index('uq_products_seller_id_reference', ['seller_id', 'reference'], unique=True, sqlite_where=NAMED, postgresql_where=NAMED)

    op.create_table('catalogue_imports',
    sa.Column('id', ID, nullable=False),
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('seller_id', ID, nullable=False),
    sa.Column('user_id', ID, nullable=True),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('problem', sa.String(length=500), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('0 <= done AND done <= total', name=op.f('ck_catalogue_imports_done_is_within_total')),
    sa.CheckConstraint("state IN ('checking', 'ready', 'applying', 'done', 'failed')", name=op.f('ck_catalogue_imports_state_is_known')),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_catalogue_imports_seller_id_sellers'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_catalogue_imports_user_id_users'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_catalogue_imports')),
    sa.UniqueConstraint('code', name=op.f('uq_catalogue_imports_code'))
    )
    with op.batch_alter_table('catalogue_imports', schema=None) as batch_op:
        batch_op.create_index('ix_catalogue_imports_seller_id_id', ['seller_id', 'id'], unique=False)

    op.create_table('catalogue_lines',
    sa.Column('import_id', ID, nullable=False),
    sa.Column('line', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('product', sa.String(length=60), nullable=False),
    sa.Column('sku', sa.String(length=60), nullable=False),
    sa.Column('outcome', sa.String(length=9), nullable=False),
    sa.Column('columns', sa.String(length=300), nullable=False),
    sa.Column('why', sa.String(length=300), nullable=False),
    sa.Column('stock_seen', sa.Integer(), nullable=True),
    sa.CheckConstraint("outcome IN ('created', 'changed', 'unchanged', 'refused')", name=op.f('ck_catalogue_lines_outcome_is_known')),
    sa.ForeignKeyConstraint(['import_id'], ['catalogue_imports.id'], name=op.f('fk_catalogue_lines_import_id_catalogue_imports'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('import_id', 'line', name=op.f('pk_catalogue_lines'))
    )
    with op.batch_alter_table('catalogue_lines', schema=None) as batch_op:
        batch_op.create_index('ix_catalogue_lines_import_id_outcome_line', ['import_id', 'outcome', 'line'], unique=False)


def downgrade():
    op.drop_table('catalogue_lines')
    op.drop_table('catalogue_imports')
    with op.batch_alter_table('products', schema=None) as batch_op:
        batch_op.drop_index('uq_products_seller_id_reference')
        batch_op.drop_column('reference')
