"""a refund knows the form in which it was wanted, so that a form that is sent twice is one refund"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_refund_token'
down_revision = '2026_11_28_packing'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('refunds', sa.Column('token', sa.String(length=32), nullable=True))
    op.add_column('refunds', sa.Column('asked', sa.String(length=64), server_default=sa.text("''"), nullable=False))
    op.create_index('ix_refunds_order_id_token', 'refunds', ['order_id', 'token'], unique=True)


def downgrade():
    op.drop_index('ix_refunds_order_id_token', table_name='refunds')
    op.drop_column('refunds', 'asked')
    op.drop_column('refunds', 'token')
