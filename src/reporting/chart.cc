#include "reporting/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/progress.h"
#include "reporting/render.h"

namespace canbao::reporting {
namespace {

constexpr double kLetter = 6.6;      // half an em of the text in charts, on the average
constexpr double kSlack = 10;        // for short texts of wide letters
constexpr double kBarLine = 26;      // from one bar to the next
constexpr double kBar = 15;          // how thick
constexpr double kLeast = 1.2;       // whatever is more than nothing can be seen
constexpr double kDot = 3.4;         // radius
constexpr double kLabelShare = 0.5;  // of the width, at most, for the names before bars

// Places to a tenth: the same text on every machine.
std::string At(double place) {
  const double tenths = std::round(place * 10);
  return fmt::format("{:g}", (tenths == 0 ? 0 : tenths) / 10);
}

std::string Counted(double n) {
  return FormatAmount(static_cast<uint64_t>(std::llround(n)), ProgressUnit::kItems);
}

double WidthOf(const std::string& text) { return DisplayWidth(text) * kLetter + kSlack; }

void OpenChart(const ChartWords& words, double width, double height, Markup* out) {
  const std::string title = words.id + "-title";
  const std::string description = words.id + "-desc";
  out->Open("svg", {{"xmlns", "http://www.w3.org/2000/svg"},
                    {"viewBox", fmt::format("0 0 {} {}", At(width), At(height))},
                    {"style", fmt::format("max-width:{}px", At(width * 1.1))},
                    {"role", "img"},
                    {"aria-labelledby", title + " " + description}});
  out->Element("title", words.title, {{"id", title}});
  out->Element("desc", words.description, {{"id", description}});
  out->Line();
}

void Words(const std::string& text, double x, double y, std::string_view kind, Markup* out) {
  out->Element("text", text, {{"x", At(x)}, {"y", At(y)}, {"class", kind}});
}

void Stroke(double x1, double y1, double x2, double y2, std::string_view kind, Markup* out) {
  out->Empty("line",
             {{"x1", At(x1)}, {"y1", At(y1)}, {"x2", At(x2)}, {"y2", At(y2)}, {"class", kind}});
}

void Box(double x, double y, double width, double height, std::string_view kind, Markup* out) {
  out->Empty(
      "rect",
      {{"x", At(x)}, {"y", At(y)}, {"width", At(width)}, {"height", At(height)}, {"class", kind}});
}

double TotalOf(const std::vector<double>& parts) {
  double sum = 0;
  for (double part : parts) sum += part;
  return sum;
}

// The text, shortened to the width with an ellipsis; whole in the table.
std::string Shortened(const std::string& text, double width) {
  if (WidthOf(text) <= width) return text;
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t next = i + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xC0) == 0x80) ++next;
    const std::string longer = text.substr(0, next);
    if (WidthOf(longer) + kLetter > width) break;
    out = longer;
    i = next;
  }
  return out + "…";
}

}  // namespace

LinearScale::LinearScale(double from, double to, double low, double high)
    : from_(from), to_(to > from ? to : from + 1), low_(low), high_(high) {}

double LinearScale::operator()(double value) const {
  return low_ + (value - from_) / (to_ - from_) * (high_ - low_);
}

std::vector<double> LinearScale::Ticks(int about) const {
  const double rough = (to_ - from_) / std::max(about, 1);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * 10;
  for (double nice : {1.0, 2.0, 5.0}) {
    if (nice * power >= rough * 0.999) {
      step = nice * power;
      break;
    }
  }
  std::vector<double> out;
  const auto first = static_cast<int64_t>(std::ceil(from_ / step - 1e-9));
  const auto last = static_cast<int64_t>(std::floor(to_ / step + 1e-9));
  for (int64_t i = first; i <= last; ++i) out.push_back(static_cast<double>(i) * step);
  return out;
}

void Draw(const Histogram& chart, Markup* out) {
  constexpr double kTop = 40;
  constexpr double kBottom = 44;
  double tallest = 1;
  for (const Histogram::Column& c : chart.columns) tallest = std::max(tallest, TotalOf(c.parts));
  const std::string longest = Counted(tallest);
  // Histograms below one another begin at one place.
  const double left = std::max(72.0, WidthOf(longest) + 16);
  const LinearScale x(chart.from, chart.to, left, chart.width - 12);
  const LinearScale y(0, tallest * 1.04, chart.height - kBottom, kTop);
  const double base = y(0);

  OpenChart(chart.words, chart.width, chart.height, out);
  for (double tick : y.Ticks(4)) {
    if (tick != std::floor(tick)) continue;
    Stroke(left, y(tick), chart.width - 12, y(tick), tick == 0 ? "base" : "grid", out);
    Words(Counted(tick), left - 8, y(tick) + 4, "end", out);
  }
  const double gap = std::min(2.0, (x(chart.step) - x(0)) * 0.15);
  for (const Histogram::Column& c : chart.columns) {
    double top = base;
    for (size_t i = 0; i < c.parts.size(); ++i) {
      if (c.parts[i] <= 0) continue;
      const double tall = std::max(base - y(c.parts[i]), kLeast);
      top -= tall;
      Box(x(c.at) + gap / 2, top, x(c.at + chart.step) - x(c.at) - gap, tall, chart.classes[i],
          out);
    }
  }
  out->Line();
  for (double tick : x.Ticks(12)) {
    Stroke(x(tick), base, x(tick), base + 5, "base", out);
    Words(fmt::format("{:g}", tick), x(tick), base + 19, "middle", out);
  }
  Words(chart.axis, (left + chart.width) / 2, chart.height - 6, "middle quiet", out);
  // Labels of marks alternate sides, the outermost outwards, and so never meet.
  for (size_t i = 0; i < chart.marks.size(); ++i) {
    const Histogram::Mark& mark = chart.marks[i];
    const double at = x(mark.at);
    const bool to_left = i + 1 < chart.marks.size() && at - WidthOf(mark.label) > left;
    Stroke(at, 16, at, base, "mark", out);
    Words(mark.label, to_left ? at - 6 : at + 6, 26, to_left ? "end strong" : "strong", out);
  }
  out->Close().Line();
}

void Draw(const BarChart& chart, Markup* out) {
  double largest = chart.largest;
  double names = 0;
  double values = 0;
  for (const BarChart::Bar& bar : chart.bars) {
    largest = std::max(largest, TotalOf(bar.parts));
    names = std::max(names, WidthOf(bar.label));
    values = std::max(values, WidthOf(bar.value));
  }
  names = std::min(names, chart.width * kLabelShare);
  const double left = names + 10;
  const LinearScale x(0, largest, left, chart.width - values - 10);
  const double height = kBarLine * static_cast<double>(chart.bars.size()) + 4;

  OpenChart(chart.words, chart.width, height, out);
  double line = 2;
  for (const BarChart::Bar& bar : chart.bars) {
    Words(Shortened(bar.label, names), names, line + kBarLine / 2 + 4.5, "end", out);
    double end = left;
    for (size_t i = 0; i < bar.parts.size(); ++i) {
      if (bar.parts[i] <= 0) continue;
      const double wide = std::max(x(bar.parts[i]) - left, kLeast);
      Box(end, line + (kBarLine - kBar) / 2, wide, kBar, chart.classes[i], out);
      end += wide;
    }
    Words(bar.value, end + 7, line + kBarLine / 2 + 4.5, "strong", out);
    out->Line();
    line += kBarLine;
  }
  Stroke(left, 2, left, height - 2, "base", out);
  out->Close().Line();
}

void Draw(const StripPlot& chart, Markup* out) {
  constexpr double kLine = 28;
  constexpr double kBelow = 40;
  double names = 0;
  double values = 0;
  for (const StripPlot::Line& line : chart.lines) {
    names = std::max(names, WidthOf(line.label));
    values = std::max(values, WidthOf(line.value));
  }
  names = std::min(names, chart.width * kLabelShare);
  const double left = names + 18;
  const double right = chart.width - values - 24;
  const LinearScale x(chart.from, chart.to, left, right);
  const double base = kLine * static_cast<double>(chart.lines.size()) + 4;

  OpenChart(chart.words, chart.width, base + kBelow, out);
  for (double tick : x.Ticks(10)) {
    Stroke(x(tick), 2, x(tick), base, "grid", out);
    Words(fmt::format("{:g}", tick), x(tick), base + 16, "middle", out);
  }
  double top = 2;
  for (const StripPlot::Line& line : chart.lines) {
    if (line.begins_group && top > 2) Stroke(0, top, chart.width, top, "grid", out);
    const double middle = top + kLine / 2;
    Words(Shortened(line.label, names), names, middle + 4.5, "end", out);
    for (size_t i = 0; i < line.values.size(); ++i) {
      // Neighbours are set apart, so that many equal ones look like many.
      const double aside = (static_cast<double>(i * 3 % 5) - 2) * 2.6;
      out->Empty("circle", {{"cx", At(x(line.values[i]))},
                            {"cy", At(middle + aside)},
                            {"r", At(kDot)},
                            {"class", "dot"}});
    }
    Stroke(x(line.median), middle - 11, x(line.median), middle + 11, "median", out);
    Words(line.value, chart.width - values, middle + 4.5, "strong", out);
    out->Line();
    top += kLine;
  }
  Stroke(left, base, right, base, "base", out);
  Words(chart.axis, (left + right) / 2, base + 35, "middle quiet", out);
  out->Close().Line();
}

}  // namespace canbao::reporting
