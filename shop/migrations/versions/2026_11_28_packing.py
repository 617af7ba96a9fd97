"""orders are packed and sent: until when, by whom, when; who is no longer new; indexes for the home of a seller"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_packing'
down_revision = '2026_11_28_catalogue'
branch_labels = None
depends_on = None

SHIPPED = sa.text("status = 'shipped'")
LOW = sa.text('stock - held <= 5')


def upgrade():
    with op.batch_alter_table('sellers', schema=None) as batch_op:
        batch_op.add_column(sa.Column('established_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.add_column(sa.Column('send_until', sa.DateTime(timezone=True), server_default=sa.text('CURRENT_TIMESTAMP'), nullable=False))
        batch_op.add_column(sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('shipped_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('delivered_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('carrier', sa.String(length=20), server_default='', nullable=False))
        batch_op.add_column(sa.Column('tracking', sa.String(length=40), server_default='', nullable=False))
        batch_op.drop_index('ix_orders_seller_id_status')
        batch_op.create_index('ix_orders_seller_id_status_send_until_id', ['seller_id', 'status', 'send_until', 'id'], unique=False)
        batch_op.create_index('ix_orders_seller_id_code', ['seller_id', 'code'], unique=False)
        batch_op.create_index('ix_orders_seller_id_paid_at', ['seller_id', 'paid_at', 'status', 'goods_minor'], unique=False)
        batch_op.create_index('ix_orders_deliver_until_shipped', ['deliver_until'], unique=False, sqlite_where=SHIPPED, postgresql_where=SHIPPED)

    with op.batch_alter_table('variants', schema=None) as batch_op:
        batch_op.create_index('ix_variants_product_id_low', ['product_id'], unique=False, sqlite_where=LOW, postgresql_where=LOW)

    # What was promised before tells no day of sending: the first day of delivery is the last on which it may leave.
    op.execute("UPDATE orders SET send_until = deliver_from")
    op.execute(
        "UPDATE orders SET paid_at = (SELECT settled_at FROM purchases WHERE purchases.id = orders.purchase_id)"
        " WHERE status NOT IN ('pending_payment', 'cancelled')"
    )
    # Who sold here before there were limits for newcomers goes on as before.
    op.execute("UPDATE sellers SET established_at = COALESCE(decided_at, applied_at) WHERE vetting IN ('approved', 'suspended')")


def downgrade():
    with op.batch_alter_table('variants', schema=None) as batch_op:
        batch_op.drop_index('ix_variants_product_id_low', sqlite_where=LOW, postgresql_where=LOW)

    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.drop_index('ix_orders_deliver_until_shipped', sqlite_where=SHIPPED, postgresql_where=SHIPPED)
        batch_op.drop_index('ix_orders_seller_id_paid_at')
        batch_op.drop_index('ix_orders_seller_id_code')
        batch_op.drop_index('ix_orders_seller_id_status_send_until_id')
        batch_op.create_index('ix_orders_seller_id_status', ['seller_id', 'status'], unique=False)
        batch_op.drop_column('tracking')
        batch_op.drop_column('carrier')
        batch_op.drop_column('delivered_at')
        batch_op.drop_column('shipped_at')
        batch_op.drop_column('paid_at')
        batch_op.drop_column('send_until')

    with op.batch_alter_table('sellers', schema=None) as batch_op:
        batch_op.drop_column('established_at')
