#include "app/command_line.h"

#include <CLI/CLI.hpp>

#include "base/error.h"

namespace canbao::app {

Option& Option::Required() {
  option_->required();
  return *this;
}
Option& Option::Between(int low, int high) {
  option_->check(CLI::Range(low, high));
  return *this;
}
Option& Option::BetweenUnsigned(uint64_t low, uint64_t high) {
  option_->check(CLI::Range(low, high));
  return *this;
}
Option& Option::OneOf(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words));
  return *this;
}
Option& Option::Checked(const std::function<std::string(const std::string&)>& complaint) {
  option_->check(complaint);
  return *this;
}
Option& Option::ShowDefault() {
  option_->capture_default_str();
  return *this;
}
Option& Option::Hidden() {
  option_->group("");
  return *this;
}
Option& Option::Excludes(const std::string& other) {
  option_->excludes(other);
  return *this;
}

Command Command::AddCommand(const std::string& name, const std::string& help) {
  return Command(app_->add_subcommand(name, help));
}
void Command::Hide() { app_->group(""); }
void Command::NeedsCommand() { app_->require_subcommand(1); }
void Command::OnUse(const std::function<void()>& then) { app_->callback(then); }

Option Command::Add(const std::string& name, std::string* value, const std::string& help) {
  return Option(app_->add_option(name, *value, help));
}
Option Command::Add(const std::string& name, std::vector<std::string>* values,
                    const std::string& help) {
  return Option(app_->add_option(name, *values, help));
}
Option Command::Add(const std::string& name, int* value, const std::string& help) {
  return Option(app_->add_option(name, *value, help));
}
Option Command::Add(const std::string& name, uint32_t* value, const std::string& help) {
  return Option(app_->add_option(name, *value, help));
}
Option Command::Add(const std::string& name, uint64_t* value, const std::string& help) {
  return Option(app_->add_option(name, *value, help));
}
void Command::AddFlag(const std::string& name, bool* value, const std::string& help) {
  app_->add_flag(name, *value, help);
}

CommandLine::CommandLine(const std::string& help, const std::string& footer,
                         const std::string& version)
    : app_(std::make_unique<CLI::App>(help)) {
  app_->set_version_flag("--version", version);
  app_->fallthrough();
  app_->footer(footer);
}
CommandLine::~CommandLine() = default;

Command CommandLine::top() { return Command(app_.get()); }

std::optional<int> CommandLine::Parse(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    // Help and version are no errors; every other complaint is about the words of the call.
    return app_->exit(e) == 0 ? 0 : static_cast<int>(ErrorClass::kUsage);
  }
  return std::nullopt;
}

}  // namespace canbao::app
