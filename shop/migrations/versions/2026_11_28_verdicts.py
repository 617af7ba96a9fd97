"""statements of reasons, appeals, four eyes; bans and stopped payouts; the queue and what is looked for by name"""

import secrets
from datetime import timedelta

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_verdicts'
down_revision = '2026_11_28_applying'
branch_labels = None
depends_on = None

# Who changes a statement has to take these off first; see the audit's.
GUARDS = {
    'sqlite': (
        "CREATE TRIGGER statements_are_not_changed BEFORE UPDATE ON statements "
        "BEGIN SELECT RAISE(ABORT, 'statements are only added'); END",
        "CREATE TRIGGER statements_are_not_deleted BEFORE DELETE ON statements "
        "BEGIN SELECT RAISE(ABORT, 'statements are only added'); END",
    ),
    'postgresql': (
        "CREATE FUNCTION refuse_to_change_statements() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'statements are only added'; END $$",
        "CREATE TRIGGER statements_are_not_changed BEFORE UPDATE OR DELETE ON statements "
        "FOR EACH ROW EXECUTE FUNCTION refuse_to_change_statements()",
        "CREATE TRIGGER statements_are_not_emptied BEFORE TRUNCATE ON statements "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_statements()",
    ),
}
APPEAL_FOR = timedelta(days=183)


def upgrade():
    op.create_table('proposals',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('action', sa.String(length=14), nullable=False),
    sa.Column('seller_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('words', sa.JSON(), nullable=False),
    sa.Column('seen', sa.String(length=80), nullable=False),
    sa.Column('proposed_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('outcome', sa.String(length=10), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("action IN ('refuse', 'ban', 'unban', 'stop_payouts')", name=op.f('ck_proposals_action_is_known')),
    sa.CheckConstraint("outcome IN ('confirmed', 'declined')", name=op.f('ck_proposals_outcome_is_known')),
    sa.CheckConstraint('(outcome IS NULL) = (decided_at IS NULL)', name=op.f('ck_proposals_outcome_has_its_moment')),
    sa.CheckConstraint('decided_by_id <> proposed_by_id', name=op.f('ck_proposals_two_people')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['users.id'], name=op.f('fk_proposals_decided_by_id_users')),
    sa.ForeignKeyConstraint(['proposed_by_id'], ['users.id'], name=op.f('fk_proposals_proposed_by_id_users')),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_proposals_seller_id_sellers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_proposals')),
    sa.UniqueConstraint('code', name=op.f('uq_proposals_code'))
    )
    with op.batch_alter_table('proposals', schema=None) as batch_op:
        batch_op.create_index('ix_proposals_outcome_at', ['outcome', 'at'], unique=False)
        batch_op.create_index('uq_proposals_seller_id_action_open', ['seller_id', 'action'], unique=True, sqlite_where=sa.text('outcome IS NULL'), postgresql_where=sa.text('outcome IS NULL'))

    op.create_table('statements',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('seller_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('product_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('verdict', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('rule', sa.String(length=120), nullable=False),
    sa.Column('template', sa.JSON(), nullable=False),
    sa.Column('words', sa.JSON(), nullable=False),
    sa.Column('is_automated', sa.Boolean(), nullable=False),
    sa.Column('decided_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('second_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('waited_hours', sa.Integer(), nullable=True),
    sa.Column('appeal_until', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("verdict IN ('approved', 'asked', 'refused', 'suspended', 'lifted', 'banned', 'unbanned', 'payouts_stopped', 'payouts_released', 'taken_down', 'restored', 'appeal_dismissed')", name=op.f('ck_statements_verdict_is_known')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['users.id'], name=op.f('fk_statements_decided_by_id_users')),
    sa.ForeignKeyConstraint(['product_id'], ['products.id'], name=op.f('fk_statements_product_id_products')),
    sa.ForeignKeyConstraint(['second_by_id'], ['users.id'], name=op.f('fk_statements_second_by_id_users')),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_statements_seller_id_sellers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_statements')),
    sa.UniqueConstraint('code', name=op.f('uq_statements_code'))
    )
    with op.batch_alter_table('statements', schema=None) as batch_op:
        batch_op.create_index('ix_statements_at', ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_statements_product_id'), ['product_id'], unique=False)
        batch_op.create_index('ix_statements_seller_id_id', ['seller_id', 'id'], unique=False)

    op.create_table('appeals',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('statement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('words', sa.String(length=1000), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('outcome', sa.String(length=10), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("outcome IN ('granted', 'dismissed')", name=op.f('ck_appeals_outcome_is_known')),
    sa.CheckConstraint('(outcome IS NULL) = (decided_at IS NULL)', name=op.f('ck_appeals_outcome_has_its_moment')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['users.id'], name=op.f('fk_appeals_decided_by_id_users')),
    sa.ForeignKeyConstraint(['statement_id'], ['statements.id'], name=op.f('fk_appeals_statement_id_statements')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_appeals')),
    sa.UniqueConstraint('statement_id', name=op.f('uq_appeals_statement_id'))
    )
    with op.batch_alter_table('appeals', schema=None) as batch_op:
        batch_op.create_index('ix_appeals_outcome_at', ['outcome', 'at'], unique=False)

    # LIKE 'begins%' uses only such an index: a later batch on SQLite has to make it so again.
    begins = {'sqlite': 'COLLATE NOCASE', 'postgresql': 'varchar_pattern_ops'}[op.get_bind().dialect.name]
    for column in ('handle', 'name'):
        op.execute(f'CREATE INDEX ix_profiles_{column}_begins ON profiles ({column} {begins})')
    op.add_column('sellers', sa.Column('banned_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('sellers', sa.Column('payouts_stopped_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('ix_sellers_vetting_applied_at_id', 'sellers', ['vetting', 'applied_at', 'id'])
    _remember_what_was_decided()
    for guard in GUARDS[op.get_bind().dialect.name]:
        op.execute(guard)


def _remember_what_was_decided():
    """Refusals and stops of before have a statement too, from which one appeals; and the objections are appeals."""
    meta, bind = sa.MetaData(), op.get_bind()
    meta.reflect(bind, only=('sellers', 'events', 'statements', 'appeals'))
    sellers, events = meta.tables['sellers'], meta.tables['events']
    bad = sa.select(sellers).where(sellers.c.vetting.in_(('refused', 'suspended', 'waiting')))
    for seller in bind.execute(bad).all():
        story = sa.select(events).where(events.c.subject == 'seller', events.c.subject_id == seller.id)
        _remember(meta, seller, bind.execute(story.order_by(events.c.id)).all())


def _remember(meta, seller, story):
    bind, statement, appeal = op.get_bind(), None, None
    for step in story:
        if step.became in ('refused', 'suspended'):
            made = {
                'code': secrets.token_urlsafe(16), 'seller_id': seller.id, 'verdict': step.became, 'reason': '',
                'rule': '', 'template': {}, 'words': {'en': step.note.strip()} if step.note.strip() else {},
                'is_automated': False, 'decided_by_id': step.user_id, 'at': step.at,
                'appeal_until': step.at + APPEAL_FOR,
            }
            statement = bind.execute(meta.tables['statements'].insert().values(made)).inserted_primary_key[0]
        if appeal and step.became in ('refused', 'approved', 'needs_fixing'):
            outcome = 'dismissed' if step.became == 'refused' else 'granted'
            table = meta.tables['appeals']
            ended = {'outcome': outcome, 'decided_at': step.at, 'decided_by_id': step.user_id}
            bind.execute(table.update().where(table.c.id == appeal).values(ended))
            appeal = None
        if step.became == 'objection' and statement:
            made = {'statement_id': statement, 'words': step.note, 'at': step.at}
            appeal = bind.execute(meta.tables['appeals'].insert().values(made)).inserted_primary_key[0]


def downgrade():
    op.drop_index('ix_sellers_vetting_applied_at_id', 'sellers')
    op.drop_column('sellers', 'payouts_stopped_at')
    op.drop_column('sellers', 'banned_at')
    op.drop_index('ix_profiles_name_begins', 'profiles')
    op.drop_index('ix_profiles_handle_begins', 'profiles')
    with op.batch_alter_table('appeals', schema=None) as batch_op:
        batch_op.drop_index('ix_appeals_outcome_at')

    op.drop_table('appeals')
    with op.batch_alter_table('statements', schema=None) as batch_op:
        batch_op.drop_index('ix_statements_seller_id_id')
        batch_op.drop_index(batch_op.f('ix_statements_product_id'))
        batch_op.drop_index('ix_statements_at')

    op.drop_table('statements')
    with op.batch_alter_table('proposals', schema=None) as batch_op:
        batch_op.drop_index('uq_proposals_seller_id_action_open', sqlite_where=sa.text('outcome IS NULL'), postgresql_where=sa.text('outcome IS NULL'))
        batch_op.drop_index('ix_proposals_outcome_at')

    op.drop_table('proposals')
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP FUNCTION refuse_to_change_statements')
