"""the last of each regular job is found without reading all of them"""

from alembic import op

revision = '2026_11_28_jobs_index'
down_revision = '2026_11_28_holds_index'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.create_index('ix_jobs_handler_run_at', ['handler', 'run_at'], unique=False)


def downgrade():
    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.drop_index('ix_jobs_handler_run_at')
