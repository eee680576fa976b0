@rem npm scripts start with "exec", so that a signal to npm reaches the server itself. On Windows it only runs the rest.
@%*
