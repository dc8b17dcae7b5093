#include "base/text.h"

#include "base/speak_lang.h"

namespace canbao {
namespace {
Lang g_lang = Lang::kZh;
thread_local int t_lang = -1;  // -1: the process's
}  // namespace

Lang CurrentLang() { return t_lang < 0 ? g_lang : static_cast<Lang>(t_lang); }
SpeakLang::SpeakLang(Lang lang) : before_(t_lang) { t_lang = static_cast<int>(lang); }
SpeakLang::~SpeakLang() { t_lang = before_; }
void SetCurrentLang(Lang lang) { g_lang = lang; }

}  // namespace canbao
