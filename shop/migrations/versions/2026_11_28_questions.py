"""what shoppers ask sellers, what is answered, and the newest of it on the page of a product"""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_questions'
down_revision = '2026_11_28_tax_requests'
branch_labels = None
depends_on = None


def upgrade():
    number = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('questions',
    sa.Column('id', number, nullable=False),
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('seller_id', number, nullable=False),
    sa.Column('product_id', number, nullable=True),
    sa.Column('order_id', number, nullable=True),
    sa.Column('user_id', number, nullable=True),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('words', sa.String(length=500), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('replies', sa.Integer(), nullable=False),
    sa.Column('may_be_shown', sa.Boolean(), nullable=False),
    sa.Column('shown_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('open', 'answered', 'closed')", name=op.f('ck_questions_state_is_known')),
    sa.CheckConstraint('(product_id IS NULL) != (order_id IS NULL)', name=op.f('ck_questions_is_about_one_thing')),
    sa.CheckConstraint('shown_at IS NULL OR (product_id IS NOT NULL AND may_be_shown)', name=op.f('ck_questions_shown_only_if_allowed')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_questions_order_id_orders')),
    sa.ForeignKeyConstraint(['product_id'], ['products.id'], name=op.f('fk_questions_product_id_products'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['seller_id'], ['sellers.id'], name=op.f('fk_questions_seller_id_sellers')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_questions_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_questions')),
    sa.UniqueConstraint('code', name=op.f('uq_questions_code')),
    sa.UniqueConstraint('order_id', name=op.f('uq_questions_order_id'))
    )
    with op.batch_alter_table('questions', schema=None) as batch_op:
        batch_op.create_index('ix_questions_product_id_shown_at_id', ['product_id', 'shown_at', 'id'], unique=False)
        batch_op.create_index('ix_questions_seller_id_state_since_id', ['seller_id', 'state', 'since', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_questions_since'), ['since'], unique=False)
        batch_op.create_index('ix_questions_user_id_id', ['user_id', 'id'], unique=False)

    op.create_table('question_replies',
    sa.Column('id', number, nullable=False),
    sa.Column('question_id', number, nullable=False),
    sa.Column('is_sellers', sa.Boolean(), nullable=False),
    sa.Column('words', sa.String(length=1000), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('is_shown', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['question_id'], ['questions.id'], name=op.f('fk_question_replies_question_id_questions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_question_replies'))
    )
    with op.batch_alter_table('question_replies', schema=None) as batch_op:
        batch_op.create_index('ix_question_replies_question_id_id', ['question_id', 'id'], unique=False)

    op.add_column('products', sa.Column('answers', sa.JSON(), nullable=True))


def downgrade():
    op.drop_column('products', 'answers')
    op.drop_table('question_replies')
    op.drop_table('questions')
