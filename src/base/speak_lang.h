// A thread that answers somebody else speaks their language for a while.
#pragma once

#include "base/text.h"

namespace canbao {

// While it lives, CurrentLang() of this thread is `lang`, whatever the process's is.
class SpeakLang {
 public:
  explicit SpeakLang(Lang lang);
  ~SpeakLang();
  SpeakLang(const SpeakLang&) = delete;
  SpeakLang& operator=(const SpeakLang&) = delete;

 private:
  int before_;
};

}  // namespace canbao
