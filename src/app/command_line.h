// The words of the command line: subcommands, options, what they may be. A thin face of CLI11,
// whose headers cost half a minute of compiling wherever they are used: command_line.cc alone sees
// them. Values to be filled must outlive Parse(). One thread; nothing fails but Parse(), which
// prints what is wrong with the words.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace canbao::app {

// A reference to an option, to say more of it.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option& Required();
  Option& Between(int low, int high);
  Option& BetweenUnsigned(uint64_t low, uint64_t high);
  Option& OneOf(const std::vector<std::string>& words);
  // `complaint` says what is wrong with a value; empty: nothing.
  Option& Checked(const std::function<std::string(const std::string&)>& complaint);
  Option& ShowDefault();
  Option& Hidden();  // left out of the help: for processes, not for people
  Option& Excludes(const std::string& other);

 private:
  CLI::Option* option_;
};

// A reference to the command itself or to a subcommand.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}
  Command AddCommand(const std::string& name, const std::string& help);
  void NeedsCommand();  // one of those added
  void Hide();          // from the help of the command above
  void OnUse(const std::function<void()>& then);

  Option Add(const std::string& name, std::string* value, const std::string& help);
  Option Add(const std::string& name, std::vector<std::string>* values, const std::string& help);
  Option Add(const std::string& name, int* value, const std::string& help);
  Option Add(const std::string& name, uint32_t* value, const std::string& help);
  Option Add(const std::string& name, uint64_t* value, const std::string& help);
  void AddFlag(const std::string& name, bool* value, const std::string& help);

 private:
  CLI::App* app_;
};

// All words: owns the commands and options.
class CommandLine {
 public:
  CommandLine(const std::string& help, const std::string& footer, const std::string& version);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Command top();
  // The exit code when there is nothing more to do: help was asked for, or the words are wrong.
  std::optional<int> Parse(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace canbao::app
