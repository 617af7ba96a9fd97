"""what a category asks every listing in it to tell"""

import json

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_required_facts'
down_revision = '2026_11_28_invitations'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
# The categories that the shop came with until now, and what they ask from now on.
REQUIRES = {
    'shoes': ['upper', 'sole'],
    'bags': ['material'],
    'fashion': ['material'],
    'beauty': ['content', 'ingredients', 'after_opening'],
    'home': ['material'],
    'food': ['net', 'origin', 'ingredients', 'allergens', 'keeps'],
    'tech': ['ce'],
    'play': ['age', 'material', 'ce', 'warnings'],
}
CE = {'key': 'ce', 'name': {'nl': 'CE-markering', 'en': 'CE marking'}}
INGREDIENTS = {'key': 'ingredients', 'name': {'nl': 'Ingrediënten', 'en': 'Ingredients'}}
NEW = {'beauty': INGREDIENTS, 'tech': CE, 'play': CE}


def upgrade():
    with op.batch_alter_table('categories', schema=None) as batch_op:
        batch_op.add_column(sa.Column('requires', sa.JSON(), server_default='[]', nullable=False))
    categories = sa.table('categories', sa.column('id', ID), sa.column('slug', sa.String),
                          sa.column('specs', sa.JSON), sa.column('requires', sa.JSON))
    shop = op.get_bind()
    for row in shop.execute(sa.select(categories.c.id, categories.c.slug, categories.c.specs)).all():
        specs = json.loads(row.specs) if isinstance(row.specs, str) else row.specs or []
        known = {each['key'] for each in specs}
        new = [each for each in (NEW.get(row.slug),) if each and each['key'] not in known]
        wanted = [fact for fact in REQUIRES.get(row.slug, []) if fact in known | {'warnings', *(each['key'] for each in new)}]
        if wanted:
            change = categories.update().where(categories.c.id == row.id)
            shop.execute(change.values(specs=[*specs, *new], requires=wanted))


def downgrade():
    with op.batch_alter_table('categories', schema=None) as batch_op:
        batch_op.drop_column('requires')
