"""papers, audit, second proofs"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_papers'
down_revision = '2026_11_28_jobs_index'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
MOMENT = sa.DateTime(timezone=True)

# Who changes the audit has to take these off first. A later migration that makes the table anew on SQLite (a batch)
# loses them there, and has to put them on again.
GUARDS = {
    'sqlite': (
        "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END",
        "CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END",
    ),
    'postgresql': (
        "CREATE FUNCTION refuse_to_change_the_audit() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is only added to'; END $$",
        "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION refuse_to_change_the_audit()",
        "CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_audit()",
    ),
}


def upgrade():
    _audit()
    _papers()
    _second_proofs()


def _audit():
    op.create_table('audit_head',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_audit_head_there_is_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_head'))
    )
    op.create_table('audit',
    sa.Column('seq', BIG, autoincrement=False, nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('actor_id', sa.BigInteger(), nullable=True),
    sa.Column('role', sa.String(length=12), nullable=False),
    sa.Column('action', sa.String(length=40), nullable=False),
    sa.Column('about', sa.String(length=80), nullable=False),
    sa.Column('reason', sa.String(length=1000), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('after', sa.JSON(), nullable=False),
    sa.Column('prev_hash', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_audit')),
    sa.UniqueConstraint('hash', name=op.f('uq_audit_hash')),
    sa.UniqueConstraint('prev_hash', name=op.f('uq_audit_prev_hash'))
    )
    op.create_index('ix_audit_actor_id_action_at', 'audit', ['actor_id', 'action', 'at'])
    op.create_index(op.f('ix_audit_about'), 'audit', ['about'])
    for guard in GUARDS[op.get_bind().dialect.name]:
        op.execute(guard)


def _papers():
    op.create_table('papers',
    sa.Column('id', BIG, nullable=False),
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('seller_id', BIG, nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('came_as', sa.String(length=8), nullable=False),
    sa.Column('pages', sa.Integer(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('wrapped_key', sa.LargeBinary(), nullable=True),
    sa.Column('key_id', sa.String(length=40), nullable=False),
    sa.Column('file_mark', sa.LargeBinary(), nullable=False),
    sa.Column('picture_mark', sa.LargeBinary(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('sent_at', MOMENT, nullable=False),
    sa.Column('keep_until', MOMENT, nullable=True),
    sa.Column('shredded_at', MOMENT, nullable=True),
    sa.Column('opened_by_id', BIG, nullable=True),
    sa.Column('open_until', MOMENT, nullable=True),
    sa.CheckConstraint("(state = 'shredded') = (wrapped_key IS NULL)", name=op.f('ck_papers_shredded_is_without_key')),
    sa.CheckConstraint("kind IN ('front', 'back', 'extract', 'licence')", name=op.f('ck_papers_kind_is_known')),
    sa.CheckConstraint("state IN ('sealed', 'shredded')", name=op.f('ck_papers_state_is_known')),
    sa.CheckConstraint('pages BETWEEN 1 AND 20', name=op.f('ck_papers_pages_are_few')),
    sa.ForeignKeyConstraint(['opened_by_id'], ['users.id'], name=op.f('fk_papers_opened_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_papers_seller_id_sellers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_papers')),
    sa.UniqueConstraint('code', name=op.f('uq_papers_code'))
    )
    with op.batch_alter_table('papers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_papers_seller_id'), ['seller_id'])
        batch_op.create_index(batch_op.f('ix_papers_key_id'), ['key_id'])
        batch_op.create_index(batch_op.f('ix_papers_file_mark'), ['file_mark'])
        batch_op.create_index(batch_op.f('ix_papers_picture_mark'), ['picture_mark'])
        batch_op.create_index('ix_papers_state_keep_until', ['state', 'keep_until'])
        batch_op.create_index(
            'uq_papers_seller_id_kind_sealed',
            ['seller_id', 'kind'],
            unique=True,
            sqlite_where=sa.text("state = 'sealed'"),
            postgresql_where=sa.text("state = 'sealed'"),
        )


def _second_proofs():
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('proven_at', MOMENT, nullable=True))
    op.create_table('passkeys',
    sa.Column('id', BIG, nullable=False),
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('credential_id', sa.LargeBinary(), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('uses', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('used_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_passkeys_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_passkeys')),
    sa.UniqueConstraint('code', name=op.f('uq_passkeys_code')),
    sa.UniqueConstraint('credential_id', name=op.f('uq_passkeys_credential_id'))
    )
    op.create_index(op.f('ix_passkeys_user_id'), 'passkeys', ['user_id'])
    op.create_table('code_apps',
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('wrapped_seed', sa.LargeBinary(), nullable=False),
    sa.Column('key_id', sa.String(length=40), nullable=False),
    sa.Column('last_step', sa.BigInteger(), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_code_apps_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_code_apps'))
    )
    op.create_index(op.f('ix_code_apps_key_id'), 'code_apps', ['key_id'])
    op.create_table('recovery_codes',
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('code_hash', sa.LargeBinary(), nullable=False),
    sa.Column('used_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_recovery_codes_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'code_hash', name=op.f('pk_recovery_codes'))
    )


def downgrade():
    op.drop_table('recovery_codes')
    op.drop_table('code_apps')
    op.drop_table('passkeys')
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.drop_column('proven_at')
    op.drop_table('papers')
    op.drop_table('audit')  # its triggers go with it
    if op.get_bind().dialect.name == 'postgresql':
        op.execute("DROP FUNCTION refuse_to_change_the_audit()")
    op.drop_table('audit_head')
