using Microsoft.Win32.SafeHandles;

namespace SelectReactor.Epoll;

/// <summary>A descriptor that is closed once, and never while a call on it is under way on another thread.</summary>
internal sealed class NativeHandle() : SafeHandleMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle() => Native.Close((int)handle) == 0;
}
