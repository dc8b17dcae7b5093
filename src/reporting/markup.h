// Markup that is well formed by construction: elements close in the order in which they were
// opened, and every text and attribute is escaped on its way in, so that no page can forget it. The
// result is HTML and XML at once. One thread; nothing fails: what no document may contain (control
// characters, broken UTF-8) becomes U+FFFD.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canbao::reporting {

// & < > " ' as references, what XML forbids as U+FFFD.
std::string Escaped(std::string_view text);

class Markup {
 public:
  using Attributes = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  Markup& Open(std::string_view name, Attributes attributes = {});
  // Closes the innermost element.
  Markup& Close();
  Markup& Text(std::string_view text);
  // Open, Text, Close.
  Markup& Element(std::string_view name, std::string_view text, Attributes attributes = {});
  // An element that cannot have contents: <meta/>, <rect/>.
  Markup& Empty(std::string_view name, Attributes attributes = {});
  // As it is: a style sheet of ours, or what another Markup made.
  Markup& Raw(std::string_view markup);
  Markup& Line();

  // Closes whatever is open. The Markup is empty afterwards.
  std::string Take();

 private:
  void Begin(std::string_view name, Attributes attributes);

  std::string out_;
  std::vector<std::string> open_;
};

}  // namespace canbao::reporting
