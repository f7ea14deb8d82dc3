package import Platform

extension FileOptions {
  /// What a sandbox must leave accessible to a file output.
  ///
  /// A pipe or a device is one object, which a new one of the same name is not. Files are created again and
  /// again, so that their directory must be accessible.
  package var sandboxNeeds: SandboxPlan {
    var plan = SandboxPlan()
    if expandsName {
      plan.writableDirectories.append(naming(path).root)
    } else {
      switch try? FilePlace.find(path, .real) {
      case .file(let place):
        // The target of a link may change; a new target is in the link's own directory.
        plan.writableDirectories += [FileNaming.directory(of: place), FileNaming.directory(of: path)]
      case .pipe(let place), .stream(let place): plan.writableFiles.append(place)
      case .descriptor, nil: break
      }
    }
    if let link { plan.writableDirectories.append(FileNaming.directory(of: link)) }
    if postRotate != nil { plan.formUnion(.commandNeeds) }
    return plan
  }
}
