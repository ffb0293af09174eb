"""As much of protobuf as the messages need that are written and read here: what they are is said by who uses it."""
