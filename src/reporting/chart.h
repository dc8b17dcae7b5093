// The few charts that our pages need, as SVG inside the page: no script, colours by class, so that
// the style sheet decides what light, dark and paper look like. A chart has a title and a
// description for those who do not see it; the table beside it is the page's business. The same
// data give the same bytes. Pure functions.
//
// Sizes are units of the viewBox, one CSS pixel each where the page has the room.
#pragma once

#include <string>
#include <vector>

#include "reporting/markup.h"

namespace canbao::reporting {

// From figures to places.
class LinearScale {
 public:
  // `low`, `high`: places of `from` and `to`. An empty domain becomes one of length 1.
  LinearScale(double from, double to, double low, double high);
  double operator()(double value) const;
  // Round figures inside the domain, about so many, ascending.
  std::vector<double> Ticks(int about) const;

 private:
  double from_, to_, low_, high_;
};

struct ChartWords {
  std::string id;  // unique in the page
  std::string title;
  std::string description;
};

// Columns of equal width side by side, each a stack.
struct Histogram {
  ChartWords words;
  std::vector<std::string> classes;  // of the parts of a stack, the lowest first
  struct Column {
    double at = 0;  // its left edge; it ends where the next whole step begins
    std::vector<double> parts;
  };
  std::vector<Column> columns;
  double from = 0, to = 1, step = 1;
  std::string axis;  // what stands below
  struct Mark {
    double at = 0;
    std::string label;
  };
  std::vector<Mark> marks;  // ascending
  double width = 960, height = 300;
};
void Draw(const Histogram& chart, Markup* out);

// Horizontal bars, each with its name before it and its figure behind it.
struct BarChart {
  ChartWords words;
  std::vector<std::string> classes;  // of the parts of a bar, from the left
  struct Bar {
    std::string label;
    std::vector<double> parts;
    std::string value;
  };
  std::vector<Bar> bars;
  double largest = 0;  // of the scale; 0 = the longest bar
  double width = 960;
};
void Draw(const BarChart& chart, Markup* out);

// A dot for each value on lines of one scale, the median as a stroke.
struct StripPlot {
  ChartWords words;
  struct Line {
    std::string label;
    std::vector<double> values;
    double median = 0;
    std::string value;
    bool begins_group = false;  // a rule above it
  };
  std::vector<Line> lines;
  double from = 0, to = 1;
  std::string axis;
  double width = 960;
};
void Draw(const StripPlot& chart, Markup* out);

}  // namespace canbao::reporting
