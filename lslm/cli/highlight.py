"""A document as a page on which the summary stands out."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lslm.serving.summarizing import Summary

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif;
  color: #1a1a1a; background: #fff; overflow-wrap: anywhere; }
blockquote { margin: 0 0 2rem; padding: .5rem 1rem; border-left: .25rem solid #b8860b; background: #fdf6e3; }
mark { background: #fde68a; color: inherit; }
.word { border-bottom: .15rem solid rgb(180 83 9 / var(--weight)); }
small { color: #666; }
</style>
<h1>{{ title }}</h1>
<blockquote>{{ summary.text }}</blockquote>
<p>
{%- for sentence in summary.sentences %}
{% if sentence.chosen %}<mark title="score {{ '%.3f' % sentence.score }}">{{ sentence.text }}</mark>
{%- else %}<span title="score {{ '%.3f' % sentence.score }}">{{ sentence.text }}</span>{% endif %}
{%- endfor %}
</p>
{% if summary.sentences[0].words %}<h2>Words attended to</h2>
<p>
{%- for sentence in summary.sentences if sentence.chosen %}
{% set most = sentence.words | map(attribute=1) | max %}{% for word, weight in sentence.words -%}
<span class="word" style="--weight: {{ '%.2f' % (weight / most) }}" title="{{ '%.3f' % weight }}">{{ word }}</span>
{% endfor %}<br>
{%- endfor %}
</p>{% endif %}
<p><small>Highlighted: the summary. Hold the pointer over a sentence to see its score.</small></p>
</html>
"""


def page(summary: "Summary", title: str) -> str:
    """The page; whatever the document holds is shown as text."""
    from jinja2 import Environment

    return Environment(autoescape=True).from_string(_PAGE).render(summary=summary, title=title)
