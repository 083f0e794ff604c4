"""OpenRosa 1.0: what ODK Collect and KoboCollect send, an XML instance in a multipart body."""
