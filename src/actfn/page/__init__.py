"""The HTML parts that every page shares: layout and styles, charts (inline SVG first, then Plotly), formulas as MathML.

Leans on Jinja2, latex2mathml and Plotly's script, and on nothing of what is shown. A chart is data first; its SVG and
its Plotly figure are two renderings of the same `Chart`.
"""
