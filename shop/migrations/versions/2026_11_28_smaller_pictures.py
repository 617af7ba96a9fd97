"""smaller sizes of a picture"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_smaller_pictures'
down_revision = '2026_11_28_kept'
branch_labels = None
depends_on = None

WIDTHS = (216, 360, 640)


def upgrade():
    with op.batch_alter_table('pictures', schema=None) as batch_op:
        for width in WIDTHS:
            batch_op.add_column(sa.Column(f'name_{width}', sa.String(length=80), nullable=True))


def downgrade():
    with op.batch_alter_table('pictures', schema=None) as batch_op:
        for width in WIDTHS:
            batch_op.drop_column(f'name_{width}')
