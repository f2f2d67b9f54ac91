"""Usage credits for AI products: the public interface of Sixpence."""

__version__ = "0.1.0"
