"""a new paper knows until when the one before it held, so that the stop does not wait for who looks at it"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_carried_papers'
down_revision = '2026_11_28_second_looks'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('papers', sa.Column('carried_until', sa.Date(), nullable=True))


def downgrade():
    op.drop_column('papers', 'carried_until')
