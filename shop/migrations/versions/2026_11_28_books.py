"""The books: who gets what of a sale, and who has had it; refunds by line, disputes, transfers to sellers.

Columns are added and dropped as they are, and never by making a table anew: on SQLite that would lose its CHECKs.
"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_books'
down_revision = '2026_11_23_first'
COLUMNS = (
    ('sellers', 'platform_rate', 'INTEGER CONSTRAINT ck_sellers_platform_rate_is_sane CHECK (platform_rate BETWEEN 0 AND 5000)'),
    ('products', 'creator_rate', 'INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_products_creator_rate_is_sane CHECK (creator_rate BETWEEN 0 AND 5000)'),
    ('order_lines', 'platform_minor', 'BIGINT DEFAULT 0 NOT NULL'),
    ('order_lines', 'tax_minor', 'BIGINT DEFAULT 0 NOT NULL'),
    ('order_lines', 'creator_minor', 'BIGINT DEFAULT 0 NOT NULL CONSTRAINT ck_order_lines_shares_are_within_price CHECK ('
     'platform_minor >= 0 AND tax_minor >= 0 AND creator_minor >= 0'
     ' AND platform_minor + tax_minor + creator_minor <= price_minor * quantity)'),
    ('order_lines', 'creator_id', '{id} CONSTRAINT fk_order_lines_creator_id_profiles REFERENCES profiles (id)'),
    ('payments', 'given_back_minor', 'BIGINT DEFAULT 0 NOT NULL CONSTRAINT ck_payments_no_more_back_than_came CHECK ('
     '0 <= given_back_minor AND given_back_minor <= amount_minor)'),
    ('payment_attempts', 'fee_minor', 'BIGINT'),
    ('payment_attempts', 'fee_currency', 'VARCHAR(3)'),
    ('refunds', 'tries', 'INTEGER DEFAULT 1 NOT NULL'),
    ('refunds', 'by_id', '{id} CONSTRAINT fk_refunds_by_id_users REFERENCES users (id)'),
)
# What was decided on before there was a column for it: whole payments only.
GIVEN_BACK = """
UPDATE payments SET given_back_minor = amount_minor WHERE EXISTS (
    SELECT 1 FROM refunds JOIN payment_attempts ON payment_attempts.id = refunds.attempt_id
    WHERE refunds.payment_id = payments.id AND refunds.state <> 'failed' AND NOT payment_attempts.is_surplus)
"""
NO_CHANGE = {
    'sqlite': [
        f"CREATE TRIGGER ledger_entries_no_{event.lower()} BEFORE {event} ON ledger_entries "
        "BEGIN SELECT RAISE(ABORT, 'the books are only ever added to'); END"
        for event in ('UPDATE', 'DELETE')
    ],
    'postgresql': [
        "CREATE FUNCTION ledger_entries_only_added() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the books are only ever added to'; END $$",
        "CREATE TRIGGER ledger_entries_no_change BEFORE UPDATE OR DELETE ON ledger_entries "
        "FOR EACH ROW EXECUTE FUNCTION ledger_entries_only_added()",
        "CREATE TRIGGER ledger_entries_no_truncate BEFORE TRUNCATE ON ledger_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_entries_only_added()",
    ],
}
CHANGE = {
    'sqlite': [f"DROP TRIGGER ledger_entries_no_{event}" for event in ('update', 'delete')],
    'postgresql': [
        "DROP TRIGGER ledger_entries_no_change ON ledger_entries",
        "DROP TRIGGER ledger_entries_no_truncate ON ledger_entries",
        "DROP FUNCTION ledger_entries_only_added()",
    ],
}
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('payout_accounts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('profile_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('gateway', sa.String(length=12), nullable=False),
    sa.Column('request', sa.JSON(), nullable=False),
    sa.Column('gateway_id', sa.String(length=80), nullable=True),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('wanted', sa.JSON(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('pending', 'active', 'restricted')", name=op.f('ck_payout_accounts_state_is_known')),
    sa.ForeignKeyConstraint(['profile_id'], ['profiles.id'], name=op.f('fk_payout_accounts_profile_id_profiles')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payout_accounts')),
    sa.UniqueConstraint('gateway_id', name=op.f('uq_payout_accounts_gateway_id')),
    sa.UniqueConstraint('profile_id', 'gateway', name=op.f('uq_payout_accounts_profile_id_gateway'))
    )
    op.create_table('transfers',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account', sa.String(length=12), nullable=False),
    sa.Column('holder_id', sa.BigInteger(), nullable=False),
    sa.Column('profile_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('amount_currency', sa.String(length=3), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('request', sa.JSON(), nullable=True),
    sa.Column('gateway_id', sa.String(length=80), nullable=True),
    sa.Column('last_error', sa.String(length=80), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("account IN ('seller', 'creator')", name=op.f('ck_transfers_account_is_known')),
    sa.CheckConstraint("state IN ('waiting', 'sending', 'done')", name=op.f('ck_transfers_state_is_known')),
    sa.CheckConstraint('amount_minor >= 0', name=op.f('ck_transfers_amount_is_not_negative')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_transfers_order_id_orders')),
    sa.ForeignKeyConstraint(['profile_id'], ['profiles.id'], name=op.f('fk_transfers_profile_id_profiles')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_transfers')),
    sa.UniqueConstraint('gateway_id', name=op.f('uq_transfers_gateway_id')),
    sa.UniqueConstraint('order_id', 'account', 'holder_id', name=op.f('uq_transfers_order_id_account_holder_id'))
    )
    with op.batch_alter_table('transfers', schema=None) as batch_op:
        batch_op.create_index('ix_transfers_account_holder_id_state', ['account', 'holder_id', 'state'], unique=False)
        batch_op.create_index('ix_transfers_state_due_at', ['state', 'due_at'], unique=False)

    op.create_table('disputes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('payment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('attempt_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('gateway', sa.String(length=12), nullable=False),
    sa.Column('gateway_id', sa.String(length=80), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('amount_currency', sa.String(length=3), nullable=False),
    sa.Column('state', sa.String(length=4), nullable=False),
    sa.Column('reason', sa.String(length=60), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('open', 'won', 'lost')", name=op.f('ck_disputes_state_is_known')),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_disputes_amount_is_positive')),
    sa.ForeignKeyConstraint(['attempt_id'], ['payment_attempts.id'], name=op.f('fk_disputes_attempt_id_payment_attempts')),
    sa.ForeignKeyConstraint(['payment_id'], ['payments.id'], name=op.f('fk_disputes_payment_id_payments')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_disputes')),
    sa.UniqueConstraint('gateway', 'gateway_id', name=op.f('uq_disputes_gateway_gateway_id'))
    )
    with op.batch_alter_table('disputes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_disputes_payment_id'), ['payment_id'], unique=False)

    op.create_table('reversals',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('transfer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('cause', sa.String(length=40), nullable=False),
    sa.Column('is_callable', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('amount_currency', sa.String(length=3), nullable=False),
    sa.Column('netted_minor', sa.BigInteger(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('wanted', 'owed', 'done', 'dropped')", name=op.f('ck_reversals_state_is_known')),
    sa.CheckConstraint('0 <= netted_minor AND netted_minor <= amount_minor', name=op.f('ck_reversals_netted_is_within_amount')),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_reversals_amount_is_positive')),
    sa.ForeignKeyConstraint(['transfer_id'], ['transfers.id'], name=op.f('fk_reversals_transfer_id_transfers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reversals')),
    sa.UniqueConstraint('key', name=op.f('uq_reversals_key'))
    )
    with op.batch_alter_table('reversals', schema=None) as batch_op:
        batch_op.create_index('ix_reversals_state_due_at', ['state', 'due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_reversals_transfer_id'), ['transfer_id'], unique=False)

    op.create_table('refund_lines',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('refund_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('dispute_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('line_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('seller_minor', sa.BigInteger(), nullable=False),
    sa.Column('creator_minor', sa.BigInteger(), nullable=False),
    sa.Column('platform_minor', sa.BigInteger(), nullable=False),
    sa.Column('tax_minor', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('(refund_id IS NULL) <> (dispute_id IS NULL)', name=op.f('ck_refund_lines_one_cause')),
    sa.CheckConstraint('seller_minor + creator_minor + platform_minor + tax_minor = amount_minor AND amount_minor > 0', name=op.f('ck_refund_lines_shares_are_the_amount')),
    sa.CheckConstraint('seller_minor >= 0 AND creator_minor >= 0 AND platform_minor >= 0 AND tax_minor >= 0', name=op.f('ck_refund_lines_shares_are_not_negative')),
    sa.ForeignKeyConstraint(['dispute_id'], ['disputes.id'], name=op.f('fk_refund_lines_dispute_id_disputes')),
    sa.ForeignKeyConstraint(['line_id'], ['order_lines.id'], name=op.f('fk_refund_lines_line_id_order_lines')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_refund_lines_order_id_orders')),
    sa.ForeignKeyConstraint(['refund_id'], ['refunds.id'], name=op.f('fk_refund_lines_refund_id_refunds')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_refund_lines'))
    )
    with op.batch_alter_table('refund_lines', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_refund_lines_dispute_id'), ['dispute_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_refund_lines_line_id'), ['line_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_refund_lines_order_id'), ['order_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_refund_lines_refund_id'), ['refund_id'], unique=False)

    dialect = op.get_bind().dialect.name
    for table, name, kind in COLUMNS:
        number = 'INTEGER' if dialect == 'sqlite' else 'BIGINT'
        op.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind.format(id=number)}")
    op.execute(GIVEN_BACK)
    op.drop_index('ix_ledger_entries_account_holder_id_posted_at', 'ledger_entries')
    if op.get_bind().execute(sa.text("SELECT 1 FROM ledger_entries LIMIT 1")).first() is None:
        _make_ledger()  # else this release has been here before, and it has its shape
    op.create_index('ix_ledger_entries_account_holder_id_id', 'ledger_entries', ['account', 'holder_id', 'id'], unique=False)
    for statement in NO_CHANGE[dialect]:
        op.execute(statement)


def _make_ledger():
    """Releases before this one wrote nothing in it."""
    op.drop_table('ledger_entries')
    op.create_table('ledger_entries',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('journal', sa.String(length=60), nullable=False),
    sa.Column('account', sa.String(length=12), nullable=False),
    sa.Column('holder_id', sa.BigInteger(), nullable=False),
    sa.Column('purpose', sa.String(length=20), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('amount_currency', sa.String(length=3), nullable=False),
    sa.Column('posted_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("account IN ('buyer', 'seller', 'creator', 'platform', 'provider_fee', 'tax', 'gateway')", name=op.f('ck_ledger_entries_account_is_known')),
    sa.CheckConstraint('amount_minor <> 0', name=op.f('ck_ledger_entries_amount_is_not_zero')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_ledger_entries_order_id_orders')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_entries')),
    sa.UniqueConstraint('journal', 'account', 'holder_id', 'purpose', name=op.f('uq_ledger_entries_journal_account_holder_id_purpose'))
    )
    op.create_index(op.f('ix_ledger_entries_order_id'), 'ledger_entries', ['order_id'], unique=False)


def downgrade():
    """What stands in the books stays: the code before this does not look at them."""
    for statement in CHANGE[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_index('ix_ledger_entries_account_holder_id_id', 'ledger_entries')
    op.create_index('ix_ledger_entries_account_holder_id_posted_at', 'ledger_entries', ['account', 'holder_id', 'posted_at'], unique=False)
    with op.batch_alter_table('refund_lines', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_refund_lines_refund_id'))
        batch_op.drop_index(batch_op.f('ix_refund_lines_order_id'))
        batch_op.drop_index(batch_op.f('ix_refund_lines_line_id'))
        batch_op.drop_index(batch_op.f('ix_refund_lines_dispute_id'))

    op.drop_table('refund_lines')
    with op.batch_alter_table('reversals', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_reversals_transfer_id'))
        batch_op.drop_index('ix_reversals_state_due_at')

    op.drop_table('reversals')
    with op.batch_alter_table('disputes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_disputes_payment_id'))

    op.drop_table('disputes')
    with op.batch_alter_table('transfers', schema=None) as batch_op:
        batch_op.drop_index('ix_transfers_state_due_at')
        batch_op.drop_index('ix_transfers_account_holder_id_state')

    op.drop_table('transfers')
    op.drop_table('payout_accounts')
    for table, name, _kind in reversed(COLUMNS):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
