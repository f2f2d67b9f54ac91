"""The operations of a service, one module for each subject."""
