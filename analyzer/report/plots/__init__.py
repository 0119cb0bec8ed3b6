"""The pictures of a report, as SVG: sessions over time, traffic over time, and what the sessions negotiated.

A picture is a complete SVG document of this package's own drawing: no script, no style sheet, no font, image or link from
outside, and no ids, so that several can stand in one page. Lines and letters have the colour of the text around them; other
colours are CSS variables with a value for pages that do not set them. The same facts give the same bytes.
"""

from analyzer.report.plots.svg_drawing import for_print
from analyzer.report.plots.timeline_plot import timeline_svg
from analyzer.report.plots.traffic_plot import traffic_svg
from analyzer.report.plots.versions_plot import versions_svg

__all__ = ["for_print", "timeline_svg", "traffic_svg", "versions_svg"]
