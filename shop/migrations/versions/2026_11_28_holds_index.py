"""what is held of a variant is found without what was held of it long ago"""

from alembic import op

revision = '2026_11_28_holds_index'
down_revision = '2026_11_28_smaller_pictures'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('stock_holds', schema=None) as batch_op:
        batch_op.create_index('ix_stock_holds_variant_id_state', ['variant_id', 'state'], unique=False)
        batch_op.drop_index('ix_stock_holds_variant_id')


def downgrade():
    with op.batch_alter_table('stock_holds', schema=None) as batch_op:
        batch_op.create_index('ix_stock_holds_variant_id', ['variant_id'], unique=False)
        batch_op.drop_index('ix_stock_holds_variant_id_state')
