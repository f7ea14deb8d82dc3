extension FileSink {
  /// Removes the oldest finished files beyond the number that is kept.
  ///
  /// Nothing that fails here stops the output; it is said once, until it works again.
  func prune() {
    guard let keep = options.keep else { return }
    let directory = FileNaming.directory(of: file.path)
    let current = FileNaming.fileName(of: file.path)
    do {
      let names: [String]
      do {
        names = try system.names(inDirectory: directory)
      } catch {
        throw SinkError(target: directory, operation: "list", errno: error)
      }
      let finished = names.compactMap { name in
        name == current ? nil : naming.age(ofFileName: name).map { (name: name, age: $0) }
      }
      let oldest = finished.sorted { $0.age < $1.age }.dropLast(keep)
      for (name, _) in oldest {
        try remove(directory == "/" ? "/" + name : directory + "/" + name)
      }
      hasWarnedOfPruning = false
    } catch {
      if !hasWarnedOfPruning { warn("\(error); finished files are piling up") }
      hasWarnedOfPruning = true
    }
  }

  private func remove(_ path: String) throws(SinkError) {
    do {
      try system.unlink(path)
    } catch .noEntry {
      // Somebody else was faster.
    } catch {
      throw SinkError(target: path, operation: "unlink", errno: error)
    }
  }
}
