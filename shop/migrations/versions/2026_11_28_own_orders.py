"""an order says what its buyer shares with its seller; papers that waited know until when the one before them held"""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_own_orders'
down_revision = '2026_11_28_carried_papers'
branch_labels = None
depends_on = None

ASKED = timedelta(days=30)  # a new paper is asked for a month before the old one runs out, and no earlier


def upgrade():
    op.add_column('orders', sa.Column('kin', sa.String(8), server_default='', nullable=False))
    known = sa.text("kin != ''")
    op.create_index(
        'ix_orders_seller_id_kin', 'orders', ['seller_id', 'id'], sqlite_where=known, postgresql_where=known
    )
    carry_on()


def carry_on():
    """Papers that were sent anew before the day of the old one was kept: the last that is known of it, else the
    latest that it can have been."""
    papers = sa.table(
        'papers',
        *(sa.column(name) for name in ('id', 'seller_id', 'kind', 'state')),
        *(sa.column(name, sa.Date()) for name in ('valid_until', 'carried_until')),
        sa.column('sent_at', sa.DateTime(timezone=True)),
    )
    events = sa.table('events', *(sa.column(name) for name in ('subject', 'subject_id', 'became', 'note')))
    sent_anew = sa.exists().where(
        events.c.subject == 'seller',
        events.c.subject_id == papers.c.seller_id,
        events.c.became == 'sent_anew',
        events.c.note == papers.c.kind,
    )
    waits = (papers.c.state == 'sealed', papers.c.valid_until.is_(None), papers.c.carried_until.is_(None), sent_anew)
    db = op.get_bind()
    for paper in db.execute(sa.select(papers).where(*waits)).all():
        before = (papers.c.seller_id == paper.seller_id, papers.c.kind == paper.kind, papers.c.id < paper.id)
        old = db.scalar(sa.select(sa.func.max(papers.c.valid_until)).where(*before))
        day = old or (paper.sent_at + ASKED).date()
        db.execute(sa.update(papers).where(papers.c.id == paper.id).values(carried_until=day))


def downgrade():
    op.drop_index('ix_orders_seller_id_kin', 'orders')
    op.drop_column('orders', 'kin')
