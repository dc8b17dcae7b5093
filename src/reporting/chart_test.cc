#include "reporting/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canbao::reporting {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

size_t CountOf(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

// The attribute of the n-th element of the class.
double Attribute(const std::string& svg, const std::string& kind, const std::string& name,
                 size_t n = 0) {
  size_t at = 0;
  for (size_t i = 0; i <= n; ++i) at = svg.find("class=\"" + kind + "\"", at + 1);
  const size_t begin = svg.rfind('<', at);
  const size_t value = svg.find(" " + name + "=\"", begin) + name.size() + 3;
  return std::stod(svg.substr(value));
}

TEST(LinearScaleTest, PlacesAndTicks) {
  const LinearScale x(0, 200, 100, 500);
  EXPECT_DOUBLE_EQ(x(0), 100);
  EXPECT_DOUBLE_EQ(x(50), 200);
  EXPECT_THAT(x.Ticks(4), ElementsAre(0, 50, 100, 150, 200));
  EXPECT_THAT(LinearScale(-17, 61, 0, 1).Ticks(8), ElementsAre(-10, 0, 10, 20, 30, 40, 50, 60));
  EXPECT_THAT(LinearScale(0, 3, 0, 1).Ticks(4), ElementsAre(0, 1, 2, 3));
  const LinearScale downwards(0, 10, 300, 0);
  EXPECT_DOUBLE_EQ(downwards(10), 0);
}

TEST(LinearScaleTest, AnEmptyDomainIsNoDivisionByZero) {
  const LinearScale x(5, 5, 0, 100);
  EXPECT_DOUBLE_EQ(x(5), 0);
  EXPECT_FALSE(x.Ticks(4).empty());
}

TEST(BarChartTest, LengthsAreInProportionAndTheLeastIsSeen) {
  BarChart chart;
  chart.words = {"bars", "Bars", "three"};
  chart.classes = {"one", "two"};
  chart.bars = {{"a", {500, 500}, "1,000"}, {"b", {250, 0}, "250"}, {"c", {0.01, 0}, "0.01"}};
  Markup m;
  Draw(chart, &m);
  const std::string svg = m.Take();
  EXPECT_EQ(CountOf(svg, "class=\"one\""), 3u);
  EXPECT_EQ(CountOf(svg, "class=\"two\""), 1u) << "nothing is drawn for nothing";
  EXPECT_NEAR(Attribute(svg, "one", "width", 0), 2 * Attribute(svg, "one", "width", 1), 0.11);
  EXPECT_GE(Attribute(svg, "one", "width", 2), 1);
  // The second part begins where the first one ends.
  EXPECT_NEAR(Attribute(svg, "two", "x"),
              Attribute(svg, "one", "x") + Attribute(svg, "one", "width"), 0.11);
  EXPECT_THAT(svg, HasSubstr("aria-labelledby=\"bars-title bars-desc\""));
  EXPECT_THAT(svg, HasSubstr("<title id=\"bars-title\">Bars</title>"));
}

TEST(BarChartTest, NamesAreEscapedAndShortened) {
  BarChart chart;
  chart.words = {"bars", "<Bars>", "&"};
  chart.classes = {"one"};
  chart.width = 200;
  chart.bars = {{"<b>社会保险", {1}, "1"}, {std::string(200, 'x'), {1}, "1"}};
  Markup m;
  Draw(chart, &m);
  const std::string svg = m.Take();
  EXPECT_THAT(svg, HasSubstr("&lt;b&gt;社"));
  EXPECT_THAT(svg, HasSubstr("x…"));
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
  EXPECT_THAT(svg, Not(HasSubstr(std::string(100, 'x'))));
}

TEST(BarChartTest, AllZero) {
  BarChart chart;
  chart.classes = {"one"};
  chart.bars = {{"a", {0}, "0"}};
  Markup m;
  Draw(chart, &m);
  const std::string svg = m.Take();
  EXPECT_EQ(CountOf(svg, "class=\"one\""), 0u);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(HistogramTest, StacksStandOnOneAnother) {
  Histogram chart;
  chart.words = {"odds", "Odds", ""};
  chart.classes = {"low", "high"};
  chart.from = -2;
  chart.to = 10;
  chart.columns = {{-2, {10, 0}}, {9, {50, 50}}};
  chart.marks = {{0, "review"}, {8, "accept"}};
  Markup m;
  Draw(chart, &m);
  const std::string svg = m.Take();
  EXPECT_EQ(CountOf(svg, "class=\"low\""), 2u);
  EXPECT_EQ(CountOf(svg, "class=\"high\""), 1u);
  EXPECT_EQ(CountOf(svg, "class=\"mark\""), 2u);
  EXPECT_NEAR(Attribute(svg, "high", "y") + Attribute(svg, "high", "height"),
              Attribute(svg, "low", "y", 1), 0.11);
  EXPECT_NEAR(Attribute(svg, "low", "height", 1), 5 * Attribute(svg, "low", "height", 0), 0.3);
  // A mark stands at the edge of its column, not in its middle.
  const double step = (Attribute(svg, "low", "x", 1) - Attribute(svg, "low", "x", 0)) / 11;
  EXPECT_NEAR(Attribute(svg, "mark", "x1", 1) + step, Attribute(svg, "low", "x", 1), 1.5);
}

TEST(StripPlotTest, ADotForEachValue) {
  StripPlot plot;
  plot.words = {"m", "m", ""};
  plot.lines = {{"name", {0.1, 0.9, 0.9}, 0.9, "0.900"}, {"sex", {1}, 1, "1.000", true}};
  Markup m;
  Draw(plot, &m);
  const std::string svg = m.Take();
  EXPECT_EQ(CountOf(svg, "class=\"dot\""), 4u);
  EXPECT_EQ(CountOf(svg, "class=\"median\""), 2u);
  EXPECT_NE(Attribute(svg, "dot", "cy", 1), Attribute(svg, "dot", "cy", 2))
      << "equal values are set apart";
  EXPECT_NEAR(Attribute(svg, "median", "x1"), Attribute(svg, "dot", "cx", 1), 0.11);
}

}  // namespace
}  // namespace canbao::reporting
