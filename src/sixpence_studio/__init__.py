"""The studio: an AI interior-design app that shows every part of Sixpence in use, on its public interface alone."""
