/// The template files that are compiled into the program.
///
/// The package embeds the files of `Formats`. Each becomes a member of `PackageResources`, which can't
/// be enumerated, hence this table; a test compares it with the folder.
enum BuiltinTemplates {
  /// The names of these templates.
  static var names: [String] { sources.map(\.name) }

  /// The text of a template; empty if there is none of that name.
  static func source(of name: String) -> [UInt8] {
    sources.first { $0.name == name }?.source ?? []
  }

  private static let sources: [(name: String, source: [UInt8])] = [
    ("awstats", PackageResources.awstats_format),
    ("cloudfront", PackageResources.cloudfront_format),
    ("combined", PackageResources.combined_format),
    ("common", PackageResources.common_format),
    ("ecs", PackageResources.ecs_format),
    ("goaccess", PackageResources.goaccess_format),
    ("json", PackageResources.json_format),
    ("logfmt", PackageResources.logfmt_format),
    ("nginx", PackageResources.nginx_format),
    ("otel", PackageResources.otel_format),
    ("vhost_combined", PackageResources.vhost_combined_format),
    ("w3c", PackageResources.w3c_format),
  ]
}
