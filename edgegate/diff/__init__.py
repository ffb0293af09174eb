"""What a change of files means: which requests are answered otherwise."""
