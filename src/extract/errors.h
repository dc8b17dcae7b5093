// The stable error codes of `extract`. Tests and operators refer to the code, never to the wording.
// A code is never reused. Problems of single rows are not here: they are rejects and findings
// (row.h).
#pragma once

namespace canbao::extract {

// The delivery (kInput unless said).
inline constexpr char kErrManifestMissing[] = "CB-EXTRACT-0001";
inline constexpr char kErrManifestBroken[] =
    "CB-EXTRACT-0002";  // no TOML, or a value of the wrong type
inline constexpr char kErrManifestUnknownKey[] = "CB-EXTRACT-0003";
inline constexpr char kErrManifestMissingKey[] = "CB-EXTRACT-0004";
inline constexpr char kErrManifestBadValue[] =
    "CB-EXTRACT-0005";  // a date, division, stage … that is none
inline constexpr char kErrFileMissing[] = "CB-EXTRACT-0006";
inline constexpr char kErrFileOutside[] = "CB-EXTRACT-0007";  // the name leaves the folder
inline constexpr char kErrFileTwice[] = "CB-EXTRACT-0008";
inline constexpr char kErrKindUnknown[] = "CB-EXTRACT-0009";
inline constexpr char kErrDeliveryEmpty[] = "CB-EXTRACT-0010";  // no [[extract]]

// A file.
inline constexpr char kErrFileEmpty[] = "CB-EXTRACT-0011";
inline constexpr char kErrFileBinary[] = "CB-EXTRACT-0012";
inline constexpr char kErrFileUtf16[] = "CB-EXTRACT-0013";
inline constexpr char kErrEncodingDeclared[] = "CB-EXTRACT-0014";  // not in the declared encoding
inline constexpr char kErrHeaderMissing[] = "CB-EXTRACT-0015";     // required columns not found
inline constexpr char kErrHeaderTwice[] = "CB-EXTRACT-0016";  // two columns of one name or field
inline constexpr char kErrDigest[] = "CB-EXTRACT-0017";
inline constexpr char kErrRowCount[] = "CB-EXTRACT-0018";       // control total of the manifest
inline constexpr char kErrCompressed[] = "CB-EXTRACT-0019";     // truncated or damaged gz, zst
inline constexpr char kErrRecordTooLong[] = "CB-EXTRACT-0020";  // over kMaxRecordBytes
inline constexpr char kErrQuoteOpen[] = "CB-EXTRACT-0021";      // a quote that is never closed
inline constexpr char kErrWorkbook[] = "CB-EXTRACT-0022";       // truncated or damaged xlsx
inline constexpr char kErrWorkbookTooLarge[] = "CB-EXTRACT-0023";
inline constexpr char kErrDbf[] = "CB-EXTRACT-0024";
inline constexpr char kErrFileType[] = "CB-EXTRACT-0025";  // a type that is not read
inline constexpr char kErrConverterFailed[] = "CB-EXTRACT-0026";
inline constexpr char kErrKindNotGuessed[] = "CB-EXTRACT-0027";  // inspect: headers of no kind
inline constexpr char kErrColumnCount[] = "CB-EXTRACT-0028";     // more columns than any list has

// The machine (kEnvironment) and the user (kInterrupted).
inline constexpr char kErrOpen[] = "CB-EXTRACT-0040";
inline constexpr char kErrRead[] = "CB-EXTRACT-0041";
inline constexpr char kErrMapping[] = "CB-EXTRACT-0042";  // data/mappings missing or broken
inline constexpr char kErrConverterMissing[] = "CB-EXTRACT-0043";
inline constexpr char kErrWrite[] = "CB-EXTRACT-0044";
inline constexpr char kErrInterrupted[] = "CB-EXTRACT-0045";

}  // namespace canbao::extract
