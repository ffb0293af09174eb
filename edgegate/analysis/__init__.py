"""What can be proved of ordered routes: which requests a list of conditions takes, and which never reach a row."""
