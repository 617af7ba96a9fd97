"""when somebody's selling here ended for good is known, so that what they told is kept for six months more and not for ever"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_ended'
down_revision = '2026_11_28_carried_papers'
branch_labels = None
depends_on = None

LEFT = "SELECT max(at) FROM events WHERE subject = 'seller' AND subject_id = sellers.id AND became = 'left'"


def upgrade():
    op.add_column('sellers', sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True))
    op.execute(f"UPDATE sellers SET ended_at = COALESCE(banned_at, ({LEFT})) WHERE vetting <> 'approved'")


def downgrade():
    op.drop_column('sellers', 'ended_at')
