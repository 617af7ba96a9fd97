"""differences between the gateway's books and ours, and how far we have read in them"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_differences'
down_revision = '2026_11_28_books'
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade():
    op.create_table(
        'differences',
        sa.Column('id', KEY, nullable=False),
        sa.Column('code', sa.String(length=32), nullable=False),
        sa.Column('scope', sa.String(length=10), nullable=False),
        sa.Column('kind', sa.String(length=20), nullable=False),
        sa.Column('subject', sa.String(length=120), nullable=False),
        sa.Column('ours', sa.String(length=120), nullable=False),
        sa.Column('theirs', sa.String(length=120), nullable=False),
        sa.Column('evidence', sa.JSON(), nullable=False),
        sa.Column('first_seen', sa.DateTime(timezone=True), nullable=False),
        sa.Column('last_seen', sa.DateTime(timezone=True), nullable=False),
        sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('noted_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('noted_by_id', KEY, nullable=True),
        sa.Column('note', sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(['noted_by_id'], ['users.id'], name=op.f('fk_differences_noted_by_id_users')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_differences')),
        sa.UniqueConstraint('code', name=op.f('uq_differences_code')),
        sa.UniqueConstraint('kind', 'subject', name=op.f('uq_differences_kind_subject')),
    )
    op.create_index('ix_differences_scope', 'differences', ['scope', 'resolved_at'])
    op.create_index('ix_differences_resolved_at_id', 'differences', ['resolved_at', 'id'])
    op.create_table(
        'bookmarks',
        sa.Column('name', sa.String(length=40), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('name', name=op.f('pk_bookmarks')),
    )


def downgrade():
    op.drop_table('bookmarks')
    op.drop_table('differences')
