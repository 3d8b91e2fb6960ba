"""The Dataset page: browse, download, import."""
