// Predict CSV runs with a whole graph of gale (docs/whole_graphs.md), without Python.
//
//   predict whole.onnx run1.csv run2.csv > predictions.csv
//
// A run has the columns time (minutes), mass and intensity, one row per ion, in order of time; rows
// of equal time are one scan. The table has the columns of `gale predict`. A run that cannot be read
// has its reason in the column message, and the exit status is 1.
//
// Needs ONNX Runtime's headers and library; README.md beside this file says how to build.

#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr double kFar = 2.0;               // from here on, a run is far from the training runs
constexpr double kLargestMz = 20000;       // beyond these, a value is no measurement
constexpr double kLargestIntensity = 1e30;

struct Run {
  std::vector<double> time_min;           // of each scan
  std::vector<int64_t> scan_of_ion;
  std::vector<double> mz, intensity;      // of each ion
};

struct Prediction {
  std::vector<float> probability, spread;  // of each family; no spread of a single member
  float unlike = NAN;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::string part;
  for (std::istringstream in(text); std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

std::string trimmed(std::string text) {
  const char* blank = " \t\r\"";
  text.erase(0, text.find_first_not_of(blank));
  text.erase(text.find_last_not_of(blank) + 1);
  return text;
}

double number(const std::string& cell, int line) {
  const std::string text = trimmed(cell);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value))
    throw std::runtime_error("line " + std::to_string(line) + " has '" + text +
                             "' in place of a number");
  return value;
}

std::size_t column(const std::vector<std::string>& names, const std::string& name) {
  for (std::size_t at = 0; at < names.size(); ++at)
    if (trimmed(names[at]) == name) return at;
  throw std::runtime_error("has no column " + name);
}

Run read_csv(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) throw std::runtime_error("cannot be read, or is empty");
  if (line.rfind("\xEF\xBB\xBF", 0) == 0) line.erase(0, 3);  // a byte-order mark
  const auto names = split(line, ',');
  const auto time = column(names, "time"), mass = column(names, "mass"),
             height = column(names, "intensity");
  Run run;
  for (int at = 2; std::getline(file, line); ++at) {
    if (trimmed(line).empty()) continue;
    const auto cells = split(line, ',');
    if (cells.size() < names.size())
      throw std::runtime_error("line " + std::to_string(at) + " is too short");
    const double minutes = number(cells[time], at), mz = number(cells[mass], at),
                 intensity = number(cells[height], at);
    if (run.time_min.empty() || minutes > run.time_min.back()) {
      run.time_min.push_back(minutes);
    } else if (minutes < run.time_min.back()) {
      throw std::runtime_error("line " + std::to_string(at) + " is out of order of time");
    }
    if (mz > kLargestMz || intensity > kLargestIntensity)
      throw std::runtime_error("line " + std::to_string(at) + " has a value too large to be one");
    if (mz <= 0) continue;  // a fill value, or a scan without ions
    run.scan_of_ion.push_back(static_cast<int64_t>(run.time_min.size()) - 1);
    run.mz.push_back(mz);
    run.intensity.push_back(std::max(intensity, 0.0));
  }
  if (run.time_min.size() < 2) throw std::runtime_error("has fewer than two scans");
  return run;
}

class Whole {
 public:
  explicit Whole(const std::string& path)
      : session_(environment_, std::basic_string<ORTCHAR_T>(path.begin(), path.end()).c_str(),
                 Ort::SessionOptions{}) {
    if (metadata("gale_whole") != "1")
      throw std::runtime_error(path + ": is no whole graph of format 1");
    families_ = split(metadata("gale_families"), '\n');
    Ort::AllocatorWithDefaultOptions allocator;
    for (std::size_t at = 0; at < session_.GetOutputCount(); ++at)
      has_distance_ |= std::string(session_.GetOutputNameAllocated(at, allocator).get()) == "unlike";
  }

  const std::vector<std::string>& families() const { return families_; }

  Prediction predict(Run& run) {
    const char* inputs[] = {"time_min", "scan_of_ion", "mz", "intensity"};
    std::vector<Ort::Value> given;
    given.push_back(tensor(run.time_min));
    given.push_back(tensor(run.scan_of_ion));
    given.push_back(tensor(run.mz));
    given.push_back(tensor(run.intensity));
    std::vector<const char*> outputs = {"probability", "member_probability"};
    if (has_distance_) outputs.push_back("unlike");
    const auto found = session_.Run(Ort::RunOptions{}, inputs, given.data(), given.size(),
                                    outputs.data(), outputs.size());
    const std::size_t n_families = families_.size();
    Prediction result;
    const float* probability = found[0].GetTensorData<float>();
    result.probability.assign(probability, probability + n_families);
    const float* of_members = found[1].GetTensorData<float>();
    const std::size_t members = found[1].GetTensorTypeAndShapeInfo().GetElementCount() / n_families;
    for (std::size_t family = 0; members > 1 && family < n_families; ++family) {
      double mean = 0, squares = 0;
      for (std::size_t m = 0; m < members; ++m) mean += of_members[m * n_families + family];
      mean /= static_cast<double>(members);
      for (std::size_t m = 0; m < members; ++m)
        squares += std::pow(of_members[m * n_families + family] - mean, 2);
      result.spread.push_back(static_cast<float>(std::sqrt(squares / members)));
    }
    if (has_distance_) result.unlike = *found[2].GetTensorData<float>();
    return result;
  }

 private:
  template <typename Number>
  static Ort::Value tensor(std::vector<Number>& values) {
    static const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    const int64_t shape[] = {static_cast<int64_t>(values.size())};
    return Ort::Value::CreateTensor<Number>(memory, values.data(), values.size(), shape, 1);
  }

  std::string metadata(const char* key) const {
    Ort::AllocatorWithDefaultOptions allocator;
    const auto text = session_.GetModelMetadata().LookupCustomMetadataMapAllocated(key, allocator);
    return text ? text.get() : "";
  }

  Ort::Env environment_{ORT_LOGGING_LEVEL_ERROR};
  Ort::Session session_;
  std::vector<std::string> families_;
  bool has_distance_ = false;
};

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string done = "\"";
  for (const char each : text) done += each == '"' ? "\"\"" : std::string(1, each);
  return done + '"';
}

std::string cell(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.7g", value);
  return std::isnan(value) ? "" : text;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) {
    std::cerr << "usage: predict whole.onnx run.csv ...\n";
    return 2;
  }
  try {
    Whole whole(words[1]);
    std::cout << "run,status,message,unlike";
    for (const char* suffix : {"", "_spread"})
      for (const auto& family : whole.families()) std::cout << ',' << quoted(family + suffix);
    std::cout << '\n';
    bool failed = false;
    for (int at = 2; at < count; ++at) {
      Prediction found;
      std::string status = "ok", message;
      try {
        Run run = read_csv(words[at]);
        found = whole.predict(run);
        if (std::isnan(found.probability[0])) {
          throw std::runtime_error("has no ion in the range of m/z of the model");
        } else if (found.unlike > kFar) {
          status = "doubtful";
          message = "far from the training runs";
        }
      } catch (const std::exception& error) {
        failed = true;
        status = "failed";
        message = error.what();
        found = {};
      }
      found.probability.resize(whole.families().size(), NAN);
      found.spread.resize(whole.families().size(), NAN);
      std::cout << quoted(words[at]) << ',' << status << ',' << quoted(message) << ','
                << cell(found.unlike);
      for (const auto* values : {&found.probability, &found.spread})
        for (const float value : *values) std::cout << ',' << cell(value);
      std::cout << '\n';
    }
    return failed ? 1 : 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
