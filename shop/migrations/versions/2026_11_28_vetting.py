"""what vetting writes down: items, look-ups, marks, bank accounts; an application may be a draft"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_vetting'
down_revision = '2026_11_28_papers'
branch_labels = None
depends_on = None

STATES = "'waiting', 'needs_fixing', 'approved', 'refused', 'suspended')"


def upgrade():
    op.create_table('bank_accounts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('seller_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('sealed_iban', sa.LargeBinary(), nullable=False),
    sa.Column('wrapped_key', sa.LargeBinary(), nullable=True),
    sa.Column('key_id', sa.String(length=40), nullable=False),
    sa.Column('last4', sa.String(length=4), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('bank', sa.String(length=120), nullable=False),
    sa.Column('bic', sa.String(length=11), nullable=False),
    sa.Column('holder', sa.String(length=120), nullable=False),
    sa.Column('payee_check', sa.String(length=12), nullable=False),
    sa.Column('payee_name', sa.String(length=120), nullable=False),
    sa.Column('set_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('frozen_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("payee_check IN ('match', 'close', 'no_match', 'cannot_check')", name=op.f('ck_bank_accounts_payee_check_is_known')),
    sa.CheckConstraint("state IN ('current', 'waiting', 'refused', 'replaced')", name=op.f('ck_bank_accounts_state_is_known')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['users.id'], name=op.f('fk_bank_accounts_decided_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_bank_accounts_seller_id_sellers'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['set_by_id'], ['users.id'], name=op.f('fk_bank_accounts_set_by_id_users'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bank_accounts'))
    )
    with op.batch_alter_table('bank_accounts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_bank_accounts_key_id'), ['key_id'], unique=False)
        batch_op.create_index('ix_bank_accounts_state_set_at', ['state', 'set_at'], unique=False)
        batch_op.create_index('uq_bank_accounts_seller_id_current', ['seller_id'], unique=True, sqlite_where=sa.text("state = 'current'"), postgresql_where=sa.text("state = 'current'"))

    op.create_table('look_ups',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('seller_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.Column('asked', sa.String(length=60), nullable=False),
    sa.Column('result', sa.String(length=12), nullable=False),
    sa.Column('answer', sa.JSON(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('company', 'vat', 'payee')", name=op.f('ck_look_ups_kind_is_known')),
    sa.CheckConstraint("result IN ('match', 'close', 'no_match', 'cannot_check')", name=op.f('ck_look_ups_result_is_known')),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_look_ups_seller_id_sellers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_look_ups'))
    )
    with op.batch_alter_table('look_ups', schema=None) as batch_op:
        batch_op.create_index('ix_look_ups_seller_id_kind_at', ['seller_id', 'kind', 'at'], unique=False)

    op.create_table('seller_marks',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('seller_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('mark', sa.LargeBinary(), nullable=False),
    sa.CheckConstraint("kind IN ('iban', 'vat', 'company', 'phone', 'email', 'address')", name=op.f('ck_seller_marks_kind_is_known')),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_seller_marks_seller_id_sellers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_seller_marks')),
    sa.UniqueConstraint('seller_id', 'kind', name=op.f('uq_seller_marks_seller_id_kind'))
    )
    with op.batch_alter_table('seller_marks', schema=None) as batch_op:
        batch_op.create_index('ix_seller_marks_kind_mark', ['kind', 'mark'], unique=False)

    op.create_table('vetting_items',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('seller_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('item', sa.String(length=24), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('words', sa.JSON(), nullable=False),
    sa.Column('by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('accepted', 'fix')", name=op.f('ck_vetting_items_state_is_known')),
    sa.ForeignKeyConstraint(['by_id'], ['users.id'], name=op.f('fk_vetting_items_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_vetting_items_seller_id_sellers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_vetting_items')),
    sa.UniqueConstraint('seller_id', 'item', name=op.f('uq_vetting_items_seller_id_item'))
    )
    with op.batch_alter_table('papers', schema=None) as batch_op:
        batch_op.add_column(sa.Column('valid_until', sa.Date(), nullable=True))

    with op.batch_alter_table('sellers', schema=None) as batch_op:
        batch_op.add_column(sa.Column('represented_by', sa.String(length=120), server_default='', nullable=False))
        batch_op.add_column(sa.Column('represented_as', sa.String(length=60), server_default='', nullable=False))
        batch_op.add_column(sa.Column('packaging', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('email_confirmed_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('eu_responsible', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('terms_accepted_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('terms_version', sa.String(length=10), server_default='', nullable=False))
        batch_op.add_column(sa.Column('claimed_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.add_column(sa.Column('claimed_until', sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_constraint('vetting_is_known', type_='check')
        batch_op.create_check_constraint('vetting_is_known', "vetting IN ('draft', " + STATES)
        batch_op.create_foreign_key(batch_op.f('fk_sellers_claimed_by_id_users'), 'users', ['claimed_by_id'], ['id'], ondelete='SET NULL')


def downgrade():
    op.execute("DELETE FROM sellers WHERE vetting = 'draft'")
    with op.batch_alter_table('sellers', schema=None) as batch_op:
        batch_op.drop_constraint('vetting_is_known', type_='check')
        batch_op.create_check_constraint('vetting_is_known', 'vetting IN (' + STATES)
        batch_op.drop_constraint(batch_op.f('fk_sellers_claimed_by_id_users'), type_='foreignkey')
        batch_op.drop_column('claimed_until')
        batch_op.drop_column('claimed_by_id')
        batch_op.drop_column('terms_version')
        batch_op.drop_column('terms_accepted_at')
        batch_op.drop_column('eu_responsible')
        batch_op.drop_column('email_confirmed_at')
        batch_op.drop_column('packaging')
        batch_op.drop_column('represented_as')
        batch_op.drop_column('represented_by')

    with op.batch_alter_table('papers', schema=None) as batch_op:
        batch_op.drop_column('valid_until')

    op.drop_table('vetting_items')
    with op.batch_alter_table('seller_marks', schema=None) as batch_op:
        batch_op.drop_index('ix_seller_marks_kind_mark')

    op.drop_table('seller_marks')
    with op.batch_alter_table('look_ups', schema=None) as batch_op:
        batch_op.drop_index('ix_look_ups_seller_id_kind_at')

    op.drop_table('look_ups')
    with op.batch_alter_table('bank_accounts', schema=None) as batch_op:
        batch_op.drop_index('uq_bank_accounts_seller_id_current', sqlite_where=sa.text("state = 'current'"), postgresql_where=sa.text("state = 'current'"))
        batch_op.drop_index('ix_bank_accounts_state_set_at')
        batch_op.drop_index(batch_op.f('ix_bank_accounts_key_id'))

    op.drop_table('bank_accounts')