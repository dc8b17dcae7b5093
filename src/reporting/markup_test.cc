#include "reporting/markup.h"

#include <gtest/gtest.h>

namespace canbao::reporting {
namespace {

TEST(MarkupTest, EscapesWhatWouldBeMarkup) {
  EXPECT_EQ(Escaped("a<b>&\"c\"'d'"), "a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;");
  EXPECT_EQ(Escaped("张三 <script>"), "张三 &lt;script&gt;");
  EXPECT_EQ(Escaped("tab\tand\nline"), "tab\tand\nline");
}

TEST(MarkupTest, WhatNoDocumentMayContainIsReplaced) {
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(Escaped(std::string_view("a\0b", 3)), "a" + mark + "b");
  EXPECT_EQ(Escaped("\x01"), mark);
  EXPECT_EQ(Escaped("\xE5\xBC"), mark + mark);                 // 张, cut
  EXPECT_EQ(Escaped("\xC0\xBC"), mark + mark);                 // an overlong <
  EXPECT_EQ(Escaped("\xED\xA0\x80"), mark + mark + mark);      // a surrogate
  EXPECT_EQ(Escaped("\xEF\xBF\xBF"), mark + mark + mark);      // U+FFFF
  EXPECT_EQ(Escaped("\xF0\xA0\xAE\xB7"), "\xF0\xA0\xAE\xB7");  // 𠮷
}

TEST(MarkupTest, ElementsCloseInOrder) {
  Markup m;
  m.Open("a", {{"title", "x\"y"}}).Element("b", "1 < 2").Empty("br").Open("c");
  EXPECT_EQ(m.Take(), "<a title=\"x&quot;y\"><b>1 &lt; 2</b><br/><c></c></a>");
  EXPECT_EQ(m.Take(), "");
}

}  // namespace
}  // namespace canbao::reporting
