"""the bank accounts of a seller are found by the seller: payouts ask for a frozen one at each turn"""

from alembic import op

revision = '2026_11_28_bank'
down_revision = '2026_11_28_vetting'
branch_labels = None
depends_on = None


def upgrade():
    op.create_index('ix_bank_accounts_seller_id_state', 'bank_accounts', ['seller_id', 'state'])


def downgrade():
    op.drop_index('ix_bank_accounts_seller_id_state', table_name='bank_accounts')
