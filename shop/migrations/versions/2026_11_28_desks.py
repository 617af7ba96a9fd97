"""how many applications wait is counted from indexes"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_desks'
down_revision = '2026_11_28_questions'
branch_labels = None
depends_on = None


def upgrade():
    op.create_index('ix_sellers_vetting_kind_applied_at_id', 'sellers', ['vetting', 'kind', 'applied_at', 'id'])
    op.create_index(
        'ix_users_closed',
        'users',
        ['id'],
        sqlite_where=sa.text('is_active = 0'),
        postgresql_where=sa.text('NOT is_active'),
    )


def downgrade():
    op.drop_index('ix_users_closed', table_name='users')
    op.drop_index('ix_sellers_vetting_kind_applied_at_id', table_name='sellers')
