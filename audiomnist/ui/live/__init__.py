"""The Live page: record, upload or stream."""
